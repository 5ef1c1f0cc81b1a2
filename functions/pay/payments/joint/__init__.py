"""One payment for many assessments: a parent that takes the money, and a part for each of them."""

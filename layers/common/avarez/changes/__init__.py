"""Changes that decide where a city's money and events go: two people, a cooling-off period, told beforehand."""

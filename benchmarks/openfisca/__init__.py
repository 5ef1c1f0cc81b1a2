"""The same duty in OpenFisca-Core, side by side with our engine; see README.md beside this."""

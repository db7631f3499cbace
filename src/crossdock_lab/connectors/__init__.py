"""Bugs to plant in one platform's connector: `BUGS` of the module with its name."""

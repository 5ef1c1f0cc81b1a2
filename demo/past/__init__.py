"""Three fiscal years of the five cities and this one up to yesterday, by the simulator through the domain code.

The cars are made up and in no roll: what people see of a single car comes from the rolls, what they see of a
city's books comes from here. Ledger, chain and closes are carried over (`docs/ledger.md`); payments, duties and
certificates are not.
"""

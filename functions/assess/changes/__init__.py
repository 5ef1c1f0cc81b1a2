"""Changes of a vehicle that an office enters with evidence: facts, plate, residence, payments made before."""

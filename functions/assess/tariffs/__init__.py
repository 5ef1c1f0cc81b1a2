"""The tariff's lifecycle: draft, check, simulate, approve by a second person, publish under the content hash."""

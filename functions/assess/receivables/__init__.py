"""What cities are owed: computed each night from rolls, tariff and chains, read by their officers."""

"""What an office does at the counter beside opening a payment: refunds, terminals, agreements."""

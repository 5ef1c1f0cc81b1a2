"""Reconciliation at three levels: our receipt, the gateway's report, the bank statement."""

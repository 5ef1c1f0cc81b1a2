"""What a city plans and what planners ask: budgets, curves of payment, forecasts, comparisons. Pure."""

"""Whole rolls at once: vehicles as columns of numbers, assessed with exactly the results of `avarez.assessment`.

Needs NumPy, so no request that serves one vehicle imports it; `columns.py` alone does without, because the roll's
check writes columns.
"""

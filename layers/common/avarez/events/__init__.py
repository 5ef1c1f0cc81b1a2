"""What a city is told of, in one unbroken chain: each event's hash goes into the next one."""

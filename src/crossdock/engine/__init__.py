"""Background work: a pump per party outside, woken by jobs, swept by timers.

Only here and in the web's questions does anything leave the house.
"""

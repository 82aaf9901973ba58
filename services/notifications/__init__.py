"""Who is told what, by which channel, when; and the live feed."""

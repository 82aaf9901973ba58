"""The shapes of the clinic that failure tests run against: real processes, to be killed one by one."""

"""A campaign of kill -9 and wiped brokers, judged by what the devices heard and what is stored."""

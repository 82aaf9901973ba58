"""`python -m deploy.kafka` gets the jars of the local Kafka, so that nothing waits for them later."""

import sys

from deploy.kafka.jars import LocalKafkaError, jars, java

if __name__ == "__main__":
    try:
        java()
        sys.stdout.write(f"{jars()}\n")
    except LocalKafkaError as error:
        sys.exit(str(error))

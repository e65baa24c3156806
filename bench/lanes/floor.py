"""The floor: three sends, receives and deletes a chain, one after the other."""

import sys
import time

from bench import STEPS
from celeryconfig import QUEUES
from gas.storage import clients


def main(count: int) -> None:
    """Pass every message and print the seconds."""
    sqs, began = clients.sqs(), time.perf_counter()
    for step in STEPS * count:
        url = QUEUES[step].url
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1000)
        received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
        receipt = received["Messages"][0]["ReceiptHandle"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))

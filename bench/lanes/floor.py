"""The floor: three sends, receives and deletes a chain, one after the other.

On a queue of its own: a poll that a worker of before left open would take its messages.
"""

import sys
import time

from bench import STEPS
from gas.storage import clients


def main(count: int) -> None:
    """Pass every message and print the seconds."""
    sqs, began = clients.sqs(), time.perf_counter()
    url = sqs.create_queue(QueueName="floor")["QueueUrl"]
    for _ in STEPS * count:
        sqs.send_message(QueueUrl=url, MessageBody="x" * 1000)
        received = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
        receipt = received["Messages"][0]["ReceiptHandle"]
        sqs.delete_message(QueueUrl=url, ReceiptHandle=receipt)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""How real: every process of the service, over a proxy that fails, dying at named steps.

Each step and each fault is met once; the environment variable `FAULTS=all` asks for every step
before and after, and for every fault of every call.
"""

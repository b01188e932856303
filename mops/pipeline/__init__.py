"""One night from its detections to a published catalogue, step by step.

`start` plans the run; `jobs` are its tasks, in this order: attribution, tracklets, linking, purifying, publishing,
reporting. What one step leaves to the next is kept as arrays in the archive (`kept`).
"""

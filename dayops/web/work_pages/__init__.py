"""The pages about work: the day board, runs, tasks, workers and queues, events."""

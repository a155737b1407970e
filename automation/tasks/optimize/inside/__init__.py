"""What runs inside the sandbox when code is made faster: the workload under a profiler or a clock, and the proof."""

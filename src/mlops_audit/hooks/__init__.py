"""Fast checks of what a commit changes, for pre-commit: one file a hook.

Each hook is a pure function from the files that a commit changes to problems. `hooks.main` reads
the staged files through `tree` and prints one line for each problem.
"""

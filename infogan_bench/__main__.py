"""`python -m infogan_bench` is `infogan-bench`."""

from infogan_bench.cli import main

if __name__ == "__main__":
    main()

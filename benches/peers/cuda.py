"""What cuBLAS and cuSOLVER do on the same card, through PyTorch, in float32 without tensor cores.

Prints the card, then one line of seconds per case of `benches/src/gpu.rs`; says nothing where there is
no such card. Needs torch.
"""

import json
import sys
import time

try:
    import torch
except ImportError:
    sys.exit()

SIZES = [512, 1024, 3072, 4096]
N_RHS = 768
WARM_UP = 3
RUNS = 20


def cases(n):
    a, b = (torch.rand(n, n, device="cuda") - 0.5 for _ in range(2))
    c = torch.zeros(n, n, device="cuda")
    spd = a @ a.T / n + torch.eye(n, device="cuda")
    factor = torch.linalg.cholesky(spd)
    right = torch.rand(n, N_RHS, device="cuda")
    yield f"gpu-gemm-{n}", lambda: torch.addmm(c, a, b, out=c)
    yield f"gpu-gram-{n}", lambda: torch.addmm(c, a.T, a, out=c)
    yield f"gpu-cholesky-{n}", lambda: torch.linalg.cholesky(spd)
    yield f"gpu-solve-{n}", lambda: torch.cholesky_solve(right, factor)


def timed(run):
    torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def main():
    if not torch.cuda.is_available():
        return
    torch.backends.cuda.matmul.allow_tf32 = False
    print(json.dumps({"card": torch.cuda.get_device_name(), "torch": torch.__version__}), flush=True)
    for n in SIZES:
        for name, run in cases(n):
            for _ in range(WARM_UP):
                timed(run)
            print(json.dumps({"case": name, "seconds": [timed(run) for _ in range(RUNS)]}), flush=True)


if __name__ == "__main__":
    main()

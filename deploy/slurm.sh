#!/usr/bin/env bash
# One sweep over all nodes of a Slurm allocation. Submit it from a folder that every node sees:
#
#   sbatch --nodes=4 --gpus-per-node=4 deploy/slurm.sh sweeps/mnist.yaml    begin
#   sbatch --nodes=2 deploy/slurm.sh runs/mnist                             go on with one that was stopped
#
# Two minutes before the time limit the sweep stops cleanly and says how to go on. What it prints is in slurm-JOB.out.
#SBATCH --job-name=infogan-bench
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail

what=${1:?usage: sbatch deploy/slurm.sh SWEEP_FILE or sbatch deploy/slurm.sh SWEEP_FOLDER}
if [ -f "$what/sweep.yaml" ]; then command=resume; else command=sweep; fi

# Its own port and token for each job: whoever else is on these machines cannot join, and two jobs cannot meet.
head=$SLURMD_NODENAME
# HEAD_IP: where the first of a machine's addresses is not one that the other nodes reach
address=${HEAD_IP:-$(hostname -I | cut -d' ' -f1)}:$((20000 + SLURM_JOB_ID % 10000))
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN

cpus=(--num-cpus "$SLURM_CPUS_ON_NODE")
srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --block --node-ip-address="${address%:*}" --port="${address#*:}" "${cpus[@]}" &
if [ "$SLURM_JOB_NUM_NODES" -gt 1 ]; then
  # shellcheck disable=SC2016  # the inner shell is to expand them
  srun --overlap --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks=$((SLURM_JOB_NUM_NODES - 1)) --exclude="$head" \
    bash -c 'until ray health-check --address "$1" >/dev/null 2>&1; do sleep 2; done
             exec ray start --block --address "$@"' _ "$address" "${cpus[@]}" &
fi
until ray health-check --address "$address" >/dev/null 2>&1; do sleep 2; done

infogan-bench "$command" "$what" --address "$address" &
driver=$!
trap 'kill -TERM $driver' TERM
status=0
while kill -0 $driver 2>/dev/null; do wait $driver && status=0 || status=$?; done   # a signal ends `wait`, not the driver
exit $status   # Slurm ends the nodes' `ray start` with the job

"""Commands out of their wrappers: what `uv run`, `sudo`, `docker run image` or `srun` start."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from mlops_audit.facts.types import Command
from mlops_audit.regex import regex

__all__ = ["python_target", "unwrap"]

_MAX_LAYERS = 12
_PYTHON = regex(r"(?:python|pypy)(?:\d+(?:\.\d+)?)?(?:\.exe)?|py(?:\.exe)?|ipython3?")
_ASSIGNMENT = regex(r"[A-Za-z_][A-Za-z0-9_]*=")
_VERSIONED = regex(r"(?<=.)@[^/]*$")
_SCRIPT = regex(r"\.(?:py|pyw|ipynb)$")


class _Rule(Struct, frozen=True):
    """How a wrapper names its inner command.

    `verbs` are the sub-commands of which one has to follow (nothing: none), `valued` the options
    that take the next word, `skip` how many words stand before the inner command (an image, a
    duration). `python` says that the inner command is a script or `-m module` for Python.
    """

    verbs: tuple[str, ...] = ()
    valued: frozenset[str] = frozenset()
    skip: int = 0
    python: bool = False
    dashes: bool = False  # the inner command stands behind `--` only
    tool: bool = False  # the inner command is a package's: `ruff@latest`


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UV = _words(
    "--with --with-requirements --with-editable -w -p --python --package --group --extra "
    "--only-group --no-group --env-file --directory --project --index --index-url -i "
    "--default-index --extra-index-url --no-extra --config-file --cache-dir --color -f "
    "--find-links --refresh-package --reinstall-package --upgrade-package -P --index-strategy "
    "--link-mode --resolution --prerelease --exclude-newer --python-platform --from -C"
)
_CONDA = _words("-n --name -p --prefix --cwd -e -r --root-prefix")
_DOCKER = _words(
    "-v --volume -p --publish -e --env --env-file --name -w --workdir -u --user --network --net "
    "--mount --gpus --entrypoint --platform --shm-size -m --memory -c --cpu-shares --cpus --ipc "
    "--pid --add-host -h --hostname -l --label --restart --runtime --ulimit --cap-add --cap-drop "
    "--device --expose --log-driver --log-opt --link --volumes-from --tmpfs --dns --ip --cidfile "
    "--health-cmd --security-opt --userns --pull --stop-signal --network-alias --memory-swap "
    "-f --file --project-directory --profile --index --privileged-user -a --attach --detach-keys"
)
_KUBECTL = _words("-n --namespace -c --container --context --kubeconfig -f --filename")
_SLURM = _words(
    "-n --ntasks -N --nodes -c --cpus-per-task -p --partition -t --time -J --job-name -o --output "
    "-e --error -A --account -w --nodelist -q --qos --mem --gres --gpus -D --chdir -C --constraint "
    "-np -H --host --hostfile -x --bind-to --map-by -ppn -env --oversubscribe-count"
)
_LAUNCH = _words(
    "--config_file --num_processes --num_machines --machine_rank --main_process_ip "
    "--main_process_port --mixed_precision --gpu_ids --dynamo_backend --deepspeed_config_file "
    "--nproc_per_node --nproc-per-node --nnodes --node_rank --node-rank --master_addr "
    "--master-addr --master_port --master-port --rdzv_backend --rdzv-backend --rdzv_endpoint "
    "--rdzv-endpoint --rdzv_id --rdzv-id --max_restarts --num_gpus --num_nodes --include "
    "--hostfile --num_cpu_threads_per_process --log_dir --log-dir --tee --role --zero_stage "
    "--gradient_accumulation_steps --use_deepspeed_config --local-ranks-filter -H -np"
)
_COVERAGE = _words("--source --rcfile --omit --include --context --concurrency --data-file -o -i")
_NPX = _words("-p --package -c --call -w --workspace --python --spec --index-url --from --with")

_PLAIN = _Rule()
_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "uv": (_Rule(("run",), _UV), _Rule(("tool run",), _UV, tool=True)),
    "uvx": (_Rule((), _UV, tool=True),),
    "poetry": (_Rule(("run",), _words("-C --directory -P --project")),),
    "pipenv": (_Rule(("run",)),),
    "pdm": (_Rule(("run",), _words("-p --project -s --site-packages --venv")),),
    "hatch": (_Rule(("run", "env run"), _words("-e --env -p --project")),),
    "rye": (_Rule(("run",)),),
    "pixi": (_Rule(("run", "exec"), _words("-e --environment --manifest-path -s --spec")),),
    "conda": (_Rule(("run",), _CONDA),),
    "mamba": (_Rule(("run",), _CONDA),),
    "micromamba": (_Rule(("run",), _CONDA),),
    "mise": (_Rule(("exec", "x"), dashes=True),),
    "direnv": (_Rule(("exec",), skip=1),),
    "nix": (_Rule(("develop -c", "develop --command", "shell -c")),),
    "devbox": (_Rule(("run",)),),
    "dotenv": (_Rule(("run",), _words("-f --file -e")),),
    "op": (_Rule(("run",), dashes=True),),
    "doppler": (_Rule(("run",), dashes=True),),
    "infisical": (_Rule(("run",), dashes=True),),
    "aws-vault": (_Rule(("exec",), dashes=True),),
    "sudo": (_Rule((), _words("-u -g -h -p -C -U -r -t --user --group")),),
    "doas": (_Rule((), _words("-u -C")),),
    "env": (_Rule((), _words("-u --unset -C --chdir")),),
    "time": (_Rule((), _words("-o -f --output --format")),),
    "nice": (_Rule((), _words("-n --adjustment")),),
    "ionice": (_Rule((), _words("-c -n -p")),),
    "stdbuf": (_Rule((), _words("-i -o -e")),),
    "timeout": (_Rule((), _words("-k --kill-after -s --signal"), skip=1),),
    "gtimeout": (_Rule((), _words("-k --kill-after -s --signal"), skip=1),),
    "xvfb-run": (_Rule((), _words("-s --server-args -n --server-num -e -f -w -p")),),
    "xargs": (_Rule((), _words("-n -I -P -L -d -s -a -E --max-args --max-procs --delimiter")),),
    "flock": (_Rule((), _words("-w --timeout -E"), skip=1),),
    "gosu": (_Rule((), skip=1),),
    "su-exec": (_Rule((), skip=1),),
    "tini": (_Rule((), _words("-p -e")),),
    "dockerize": (_Rule((), _words("-wait -timeout -template -stdout -stderr")),),
    "wait-for-it.sh": (_Rule((), dashes=True),),
    "wait-for-it": (_Rule((), dashes=True),),
    "opentelemetry-instrument": (
        _Rule((), _words("--traces_exporter --metrics_exporter --logs_exporter --service_name")),
    ),
    "newrelic-admin": (_Rule(("run-program",)),),
    "docker": (
        _Rule(("run", "container run"), _DOCKER, skip=1),
        _Rule(("exec", "container exec"), _DOCKER, skip=1),
        _Rule(("compose run", "compose exec"), _DOCKER, skip=1),
    ),
    "podman": (_Rule(("run", "exec"), _DOCKER, skip=1),),
    "nerdctl": (_Rule(("run", "exec"), _DOCKER, skip=1),),
    "docker-compose": (_Rule(("run", "exec"), _DOCKER, skip=1),),
    "kubectl": (_Rule(("exec", "run"), _KUBECTL, dashes=True),),
    "oc": (_Rule(("exec",), _KUBECTL, dashes=True),),
    "singularity": (_Rule(("exec",), _words("-B --bind --env -H --home --pwd"), skip=1),),
    "apptainer": (_Rule(("exec",), _words("-B --bind --env -H --home --pwd"), skip=1),),
    "srun": (_Rule((), _SLURM),),
    "mpirun": (_Rule((), _SLURM),),
    "mpiexec": (_Rule((), _SLURM),),
    "horovodrun": (_Rule((), _SLURM),),
    "accelerate": (_Rule(("launch",), _LAUNCH, python=True),),
    "accelerate-launch": (_Rule((), _LAUNCH, python=True),),
    "torchrun": (_Rule((), _LAUNCH, python=True),),
    "deepspeed": (_Rule((), _LAUNCH, python=True),),
    "coverage": (_Rule(("run",), _COVERAGE, python=True),),
    "kernprof": (_Rule((), _words("-o"), python=True),),
    "memray": (_Rule(("run",), _words("-o --output"), python=True),),
    "scalene": (_Rule((), _words("--outfile --profile-interval"), python=True),),
    "py-spy": (_Rule(("record", "top"), dashes=True),),
    "mprof": (_Rule(("run",), _words("-T --interval -o --output")),),
    "ray": (_Rule(("job submit",), dashes=True),),
    "npx": (_Rule((), _NPX, tool=True),),
    "bunx": (_Rule((), _NPX, tool=True),),
    "pnpm": (_Rule(("dlx", "exec"), _NPX, tool=True),),
    "pipx": (_Rule(("run",), _NPX, tool=True),),
    "heroku": (_Rule(("run",), _words("-a --app -s --size")),),
    **dict.fromkeys(
        (
            "nohup", "setsid", "exec", "command", "builtin", "winpty", "unbuffer", "chronic",
            "caffeinate", "call", "ddtrace-run", "dumb-init", "gdb-run", "catchsegv", "busybox",
        ),
        (_PLAIN,),
    ),
}  # fmt: skip
# Modules that start another program or script: `python -m coverage run -m pytest`.
_MODULES: Mapping[str, tuple[str, ...]] = {
    "coverage": ("coverage",),
    "torch.distributed.run": ("torchrun",),
    "torch.distributed.launch": ("torchrun",),
    "accelerate.commands.launch": ("accelerate-launch",),
    "accelerate": ("accelerate",),
    "uv": ("uv",),
    "poetry": ("poetry",),
    "pipenv": ("pipenv",),
    "pdm": ("pdm",),
    "hatch": ("hatch",),
    "pipx": ("pipx",),
    "memray": ("memray",),
    "kernprof": ("kernprof",),
}
_FOLDER_OPTIONS: Mapping[str, frozenset[str]] = {
    "uv": frozenset({"--directory"}),
    "poetry": frozenset({"-C", "--directory"}),
    "conda": frozenset({"--cwd"}),
    "env": frozenset({"-C", "--chdir"}),
    "srun": frozenset({"-D", "--chdir"}),
}
_BATCH_SCRIPTS = frozenset({"sbatch", "qsub", "bsub"})


def unwrap(command: Command) -> Command:
    """Give the command that runners and wrappers around it start in the end.

    `uv run --frozen pytest -q` gives `pytest -q`; variables set on the way join `env`, and
    `--directory` moves `cwd`. `torchrun train.py` gives `python train.py`. What wraps nothing
    (`docker run image` without a command, `uv sync`) comes back unchanged. `text` and `span` stay
    those of the whole command.
    """
    for _ in range(_MAX_LAYERS):
        inner = _peel(command)
        if inner is None:
            break
        command = inner
    return command


def _peel(command: Command) -> Command | None:
    """Take one wrapper off, or say None."""
    argv, env = command.argv, command.env
    program = command.program.removesuffix(".exe")
    if program in _BATCH_SCRIPTS:
        rest = _after_options(argv, 1, _SLURM)[0]
        return replace(command, argv=("bash", *rest)) if rest else None
    if _PYTHON.fullmatch(program):
        kind, name = python_target(argv)
        at = argv.index("-m") if kind == "module" and "-m" in argv else -1
        if name not in _MODULES or at < 0:
            return None
        return replace(command, argv=(*_MODULES[name], *argv[at + 2 :]))
    for rule in _RULES.get(program, ()):
        found = _apply(rule, argv, program)
        if found is None:
            continue
        rest, folder = found
        added: dict[str, str] = {}
        while rest and _ASSIGNMENT.match(rest[0]):
            name, _, value = rest[0].partition("=")
            added[name] = value
            rest = rest[1:]
        if not rest:
            return None
        cwd = posixpath.normpath(posixpath.join(command.cwd, folder)) if folder else command.cwd
        return replace(
            command,
            argv=rest,
            env={**env, **added} if added else env,
            cwd="" if cwd == "." else cwd,
        )
    return None


def _apply(rule: _Rule, argv: tuple[str, ...], program: str) -> tuple[tuple[str, ...], str] | None:
    """The inner words and the folder a rule finds, or None where it does not fit."""
    folder = _folder(argv, _FOLDER_OPTIONS.get(program, frozenset()))
    start = 1
    if rule.verbs:
        start = _after_verb(rule, argv)
        if start < 0:
            return None
    if rule.dashes:
        if "--" not in argv[start:]:
            return None
        return argv[argv.index("--", start) + 1 :], folder
    rest, options = _after_options(argv, start, rule.valued)
    return _inner(rule, rest, options), folder


def _inner(rule: _Rule, rest: tuple[str, ...], options: dict[str, str]) -> tuple[str, ...]:
    """What stands behind the options, as the command that it is."""
    module = options.get("-m") or options.get("--module")
    if rule.skip:
        rest = rest[rule.skip :]
        entry = options.get("--entrypoint")
        if entry:
            return (entry, *rest)
        return () if rest[:1] and rest[0].startswith("-") else rest
    if rule.tool:
        return (_VERSIONED.sub("", rest[0]), *rest[1:]) if rest else ()
    if module is not None and (rule.python or "-w" in rule.valued):
        return ("python", "-m", module, *rest)
    if rule.python and options.get("--no_python", options.get("--no-python")) is None:
        return ("python", *rest) if rest else ()
    if rest and _SCRIPT.search(rest[0]) and "-w" in rule.valued:
        return ("python", *rest)  # `uv run train.py`
    if rest and ":" in rest[0] and "env run" in rule.verbs:
        return (rest[0].partition(":")[2], *rest[1:])  # `hatch run test:pytest`
    return rest


def _after_verb(rule: _Rule, argv: tuple[str, ...]) -> int:
    """The index behind the rule's sub-command, or -1."""
    k = 1
    while k < len(argv) and argv[k].startswith("-"):
        k += 2 if argv[k] in rule.valued else 1
    for verb in rule.verbs:
        words = verb.split()
        if argv[k : k + 1] != (words[0],):
            continue
        j = k + 1
        if len(words) == 1:
            return j
        while j < len(argv) and argv[j].startswith("-") and argv[j] != words[1]:
            j += 2 if argv[j] in rule.valued else 1
        if argv[j : j + 1] == (words[1],):
            return j + 1
    return -1


def _after_options(
    argv: tuple[str, ...], start: int, valued: frozenset[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The words behind the options, and the options with their values."""
    options: dict[str, str] = {}
    k = start
    while k < len(argv):
        word = argv[k]
        if word == "--":
            return argv[k + 1 :], options
        if not word.startswith("-") or word == "-":
            break
        name, equals, value = word.partition("=")
        if equals:
            options[name] = value
        elif word in valued or word in {"-m", "--module"}:
            k += 1
            options[word] = argv[k] if k < len(argv) else ""
            if word in {"-m", "--module"} and not valued & {"-m"}:
                return argv[k + 1 :], options
        else:
            options[word] = ""
        k += 1
    return argv[k:], options


def _folder(argv: tuple[str, ...], names: frozenset[str]) -> str:
    for k, word in enumerate(argv[:-1]):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else argv[k + 1]
    return ""


_PYTHON_CODE = regex(r"-[a-zA-Z]*c")


def python_target(argv: tuple[str, ...]) -> tuple[str, str]:
    """What a call of Python runs.

    Returns:
        `("file", path)`, `("module", dotted)`, `("code", text)` for `-c`, `("stdin", "")`, or
        `("", "")` when the command is no Python.
    """
    if not argv:
        return "", ""
    program = argv[0].rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    if not _PYTHON.fullmatch(program):
        return ("file", argv[0]) if argv[0].endswith(".py") else ("", "")
    k = 1
    while k < len(argv):
        word = argv[k]
        following = argv[k + 1] if k + 1 < len(argv) else ""
        if word == "-":
            return "stdin", ""
        if not word.startswith("-"):
            return "file", word
        if word == "-m":
            return "module", following
        if word.startswith("-m") and len(word) > 2 and word[1] != "-":  # noqa: PLR2004 -- `-mpytest`
            return "module", word[2:]
        if _PYTHON_CODE.fullmatch(word):
            return "code", following
        k += 2 if word in {"-W", "-X", "--check-hash-based-pycs"} else 1
    return "stdin", ""

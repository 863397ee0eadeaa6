"""What runs in a project: workflows, targets, scripts, and the execution graph over them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType

from msgspec.structs import replace

from mlops_audit.facts.cdk import read_constructs
from mlops_audit.facts.ci import read_workflows
from mlops_audit.facts.code import Module
from mlops_audit.facts.codepipeline import called_builds, declared_pipelines
from mlops_audit.facts.dependencies import Dependencies, read_dependencies
from mlops_audit.facts.docker import Containers, read_containers
from mlops_audit.facts.infra import read_resources
from mlops_audit.facts.pipelines import PipelineFile, read_pipelines
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.shell import parse_shell
from mlops_audit.facts.targets import read_targets
from mlops_audit.facts.triggers import trigger_is_live
from mlops_audit.facts.types import (
    Command,
    Target,
    Trigger,
    TriggerKind,
    Unreadable,
    Workflow,
)
from mlops_audit.graph.dvcfiles import DvcFiles, read_dvc_files
from mlops_audit.graph.execution import ExecutionGraph, Node, Reach
from mlops_audit.graph.expand import Expander
from mlops_audit.graph.jobfiles import job_commands
from mlops_audit.graph.nodes import STOPS, Nodes, Sources
from mlops_audit.graph.places import Places
from mlops_audit.graph.projectfiles import ProjectFiles
from mlops_audit.regex import regex

__all__ = ["ProjectRuns"]

_ON_CHANGE = (TriggerKind.PUSH, TriggerKind.PULL_REQUEST, TriggerKind.EXTERNAL)
_CDK_SCRIPT = regex(r"(?<!\.d)\.[mc]?[tj]s$")
_SCRIPT_TEST = regex(r"(^|/)(tests?|__tests__)/|\.(test|spec)\.[mc]?[tj]s$")
_CDK_PACKAGES = (b"aws-cdk-lib", b"@aws-cdk/")
_SCRIPT_NAMES = regex(r"\.(sh|bash|zsh)$")


class ProjectRuns(ProjectFiles):
    """What starts something in a project, and all that follows from it."""

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """What CloudFormation, Terraform, Kubernetes files and the CDK's constructs declare."""
        found = (*read_resources(self.paths, self.data)[0], *self._constructs)
        dead = self._unreached if any(r.system == "bicep" for r in found) else ()
        why = "no deployment reaches its file"
        return tuple(replace(r, disabled=why) if r.path in dead else r for r in found)

    @cached_property
    def _unreached(self) -> frozenset[str]:
        """Files of Bicep that no deployment reaches."""
        from mlops_audit.facts.bicep import unreached_files  # noqa: PLC0415 -- few have such files

        files = {p: self.text(p) or "" for p in self.paths if p.lower().endswith(".bicep")}
        return unreached_files(files)

    @cached_property
    def construct_modules(self) -> tuple[Module, ...]:
        """The modules that may declare infrastructure with the CDK, TypeScript's included."""
        own = (m for p, m in self.modules.items() if p not in self.test_files and not m.notebook)
        declaring = (m for m in own if m.roots & {"aws_cdk", "monocdk"})
        scripts = (m for p in self.paths if (m := self._cdk_script(p)) is not None)
        return (*declaring, *scripts)

    @cached_property
    def _constructs(self) -> tuple[Resource, ...]:
        return tuple(r for module in self.construct_modules for r in read_constructs(module))

    def _cdk_script(self, path: str) -> Module | None:
        """A TypeScript or JavaScript file that imports the CDK, read for its calls."""
        if not _CDK_SCRIPT.search(path) or _SCRIPT_TEST.search(path):
            return None
        data = self.data(path)
        if data is None or not any(word in data for word in _CDK_PACKAGES):
            return None
        # Few repositories hold such files.
        from mlops_audit.facts.typescript import read_typescript  # noqa: PLC0415

        return read_typescript(path, data)

    @cached_property
    def _workflows(self) -> tuple[tuple[Workflow, ...], tuple[Unreadable, ...]]:
        found, unreadable = read_workflows(self.paths, self.data)
        by_path: dict[str, list[Resource]] = {}
        for resource in self._constructs:
            by_path.setdefault(resource.path, []).append(resource)
        declared = [w for p, r in by_path.items() for w in declared_pipelines(p, r, self.data)]
        return called_builds((*found, *declared)), unreadable

    @property
    def workflows(self) -> tuple[Workflow, ...]:
        """The workflows of all CI/CD systems, reusable ones included."""
        return self._workflows[0]

    @cached_property
    def _targets(self) -> tuple[tuple[Target, ...], tuple[Unreadable, ...]]:
        found, unreadable = read_targets(self.paths, self.data)
        if any(p.endswith((".tf", ".tf.json")) for p in self.paths):
            # Few repositories hold such files.
            from mlops_audit.graph.provisioners import provisioner_targets  # noqa: PLC0415

            found = (*found, *provisioner_targets(self.resources))
        return found, unreadable

    @property
    def targets(self) -> tuple[Target, ...]:
        """The named jobs of all task runners, DVC stages, image builds, services and hooks."""
        return self._targets[0]

    @cached_property
    def dvc(self) -> DvcFiles:
        """All DVC files: pipelines, records, pointers and remotes."""
        return read_dvc_files(self.paths, self.data)

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """Paths of shell scripts, by name or first line."""
        return tuple(p for p in self.paths if self._is_script(p))

    def _is_script(self, path: str) -> bool:
        if _SCRIPT_NAMES.search(path):
            return True
        entry = self.tree.entries[path]
        if "." in path.rsplit("/", 1)[-1] or not entry.executable:
            return False
        head = self.data(path)
        return head is not None and head.startswith(b"#!") and b"sh" in head.split(b"\n", 1)[0]

    def script(self, path: str, args: tuple[str, ...] = ()) -> tuple[Command, ...]:
        """The commands of a shell script; its arguments, where known, choose among them.

        A script's own `cd`s are relative to where it is run; the graph keeps that.
        """
        return self._script(path, args)

    def job(self, path: str) -> tuple[Command, ...]:
        """The commands that a job file names for a platform to run."""
        if path not in self._jobs_read:
            data = self.data(path)
            self._jobs_read[path] = () if data is None else job_commands(path, data)
        return self._jobs_read[path]

    @cached_property
    def _jobs_read(self) -> dict[str, tuple[Command, ...]]:
        return {}

    @cached_property
    def _scripts_read(self) -> dict[tuple[str, tuple[str, ...]], tuple[Command, ...]]:
        return {}

    def _script(self, path: str, args: tuple[str, ...]) -> tuple[Command, ...]:
        key = (path, args)
        if key not in self._scripts_read:
            text = self.text(path) or ""
            first = text.split("\n", 1)[0]
            stops = args[:1] == (STOPS,)
            errexit = stops or (first.startswith("#!") and bool(re.search(r"\s-\w*e", first)))
            found = parse_shell(text, path=path, errexit=errexit, args=args[1:] if stops else args)
            self._scripts_read[key] = found
        return self._scripts_read[key]

    @cached_property
    def places(self) -> Places:
        """Finds files by paths as commands write them."""
        return Places(self.paths, self.tree.entries if self.folder else ())

    @cached_property
    def pipeline_files(self) -> tuple[PipelineFile, ...]:
        """Pipelines that files of other tools define (Snakemake, Argo, Step Functions ...)."""
        return read_pipelines(self.paths, self.data)[0]

    def platform_job(self, name: str) -> tuple[tuple[Command, str], ...]:
        """The commands of a platform's job, by its key or name, each with its file's folder."""
        return tuple(
            (step.command, file.span.path.rpartition("/")[0])
            for file in self.pipeline_files
            if file.key and name in {file.key, file.name}
            for step in file.steps
            if step.command is not None
        )

    @cached_property
    def expander(self) -> Expander:
        """Gives what each node runs."""
        return Expander(
            Sources(
                workflows=self.workflows,
                targets=self.targets,
                places=self.places,
                index=self.index,
                notebooks=self.notebooks,
                tests=self.test_files,
                console_scripts=self.console_scripts,
                read_script=self.script,
                read_job=self.job,
                platform_job=self.platform_job,
                branches=self._branches,
            )
        )

    @property
    def nodes(self) -> Nodes:
        """Builds nodes, as roots for `graph.reach`."""
        return self.expander.nodes

    @cached_property
    def containers(self) -> Containers:
        """All Dockerfiles, compose services and platform files."""
        return read_containers(self.paths, self.data)

    @cached_property
    def dependencies(self) -> Dependencies:
        """Declared dependencies, locks, package metadata and Python pins."""
        return read_dependencies(self.paths, self.data)

    @property
    def console_scripts(self) -> Mapping[str, str]:
        """Commands that the project installs: name -> `package.module:function`."""
        return MappingProxyType({n: f for p in self.dependencies.packages for n, f in p.scripts})

    @cached_property
    def graph(self) -> ExecutionGraph:
        """The execution graph."""
        return ExecutionGraph(self.expander)

    def trigger_is_live(self, trigger: Trigger) -> tuple[bool, str]:
        """Whether a trigger can fire, by its filters and the branches that exist; and why not."""
        return trigger_is_live(trigger, self._branches)

    @cached_property
    def _branches(self) -> frozenset[str] | None:
        git = self.git
        if git is None or git.shallow or not git.branches:
            return None
        return frozenset(git.branches)

    def triggers(self, *kinds: TriggerKind) -> Iterator[tuple[Workflow, Trigger]]:
        """The live triggers of these kinds (all when none is named), with their workflows."""
        for workflow in self.workflows:
            if workflow.disabled or workflow.reusable:
                continue
            for trigger in workflow.triggers:
                if (not kinds or trigger.kind in kinds) and self.trigger_is_live(trigger)[0]:
                    yield workflow, trigger

    def ci(self, *kinds: TriggerKind) -> Reach:
        """All that CI runs when triggers of these kinds fire; by default on a change.

        Workflows that run after another one (`workflow_run`) are reached with it.
        """
        wanted = kinds or _ON_CHANGE
        if wanted not in self._reached:
            self._reached[wanted] = self._ci(wanted)
        return self._reached[wanted]

    @cached_property
    def _reached(self) -> dict[tuple[TriggerKind, ...], Reach]:
        return {}

    def _ci(self, wanted: tuple[TriggerKind, ...]) -> Reach:
        roots = [self.nodes.trigger(w, t) for w, t in self.triggers(*wanted)]
        names = {w.name for w, _ in self.triggers(*wanted)}
        for workflow, trigger in self.triggers(TriggerKind.WORKFLOW):
            if not trigger.after or names & set(trigger.after):
                roots.append(self.nodes.trigger(workflow, trigger))
        return self.graph.reach(roots)

    @cached_property
    def automation(self) -> Reach:
        """All that any live trigger of any CI/CD system or scheduler starts."""
        return self.graph.reach(self.nodes.trigger(w, t) for w, t in self.triggers())

    @cached_property
    def runnable(self) -> Reach:
        """All that anything starts: automation, task targets, scripts, programs, notebooks."""
        roots: list[Node] = [self.nodes.trigger(w, t) for w, t in self.triggers()]
        roots += [self.nodes.target(t) for t in self.targets]
        roots += [self.nodes.script(p, "") for p in self.scripts]
        roots += [
            self.nodes.module(p)
            for p, m in self.modules.items()
            if p not in self.test_files and (m.main_line or not m.functions)
        ]
        return self.graph.reach(roots)

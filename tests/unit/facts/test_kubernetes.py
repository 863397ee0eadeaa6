"""Kubernetes objects, Helm, Argo and Tekton."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.ci import systems
from mlops_audit.facts.ci.argo import read_argo
from mlops_audit.facts.ci.tekton import read_tekton
from mlops_audit.facts.kubernetes import read_helm_values, read_kubernetes
from mlops_audit.facts.resources import Resource
from mlops_audit.facts.signs import INFRASTRUCTURE
from mlops_audit.facts.types import Workflow


def objects(text: str) -> tuple[Resource, ...]:
    """The objects of a file that must be readable."""
    found = read_kubernetes("k.yaml", dedent(text).encode())
    assert isinstance(found, tuple), found
    return found


def test_workloads_and_schedules() -> None:
    """Containers with image, command, environment and probes; a suspended CronJob is disabled."""
    service, job, kserve = objects(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec:
          template:
            spec:
              containers:
                - name: api
                  image: me/api:1
                  command: [uvicorn]
                  args: [app:app]
                  env: [{name: A, value: b}]
                  readinessProbe: {httpGet: {path: /health}}
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata: {name: train}
        spec: {schedule: "0 3 * * *", suspend: true, jobTemplate: {spec: {template: {spec:
          {containers: [{image: me/train}]}}}}}
        ---
        apiVersion: serving.kserve.io/v1beta1
        kind: InferenceService
        metadata: {name: m}
        spec: {predictor: {canaryTrafficPercent: 10, containers: [{image: x}]}}
        """
    )
    (container,) = service.containers
    assert (container.image, container.command, container.probes, container.span.line) == (
        "me/api:1",
        ("uvicorn",),
        ("readinessProbe",),
        9,
    )
    assert (job.schedule, job.disabled, job.containers[0].image) == (
        "0 3 * * *",
        "suspend: true",
        "me/train",
    )
    assert kserve.node.str_at("spec", "predictor", "canaryTrafficPercent") == "10"


def test_helm_templates_are_read_with_placeholders() -> None:
    """Template lines go, expressions become placeholders, lines stay."""
    (found,) = objects(
        """
        {{- if .Values.on }}
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: {{ include "x.name" . }}
        spec:
          template:
            spec:
              containers:
                {{- range .Values.x }}
                - image: "{{ .Values.image.repository }}:{{ .Chart.AppVersion }}"
                {{- end }}
        {{- end }}
        """
    )
    assert found.containers[0].image.startswith("TEMPLATED.image.repository")
    assert (found.templated, found.span.line) == (True, 4)
    values = read_helm_values("c/values.yaml", b"image: {repository: me/x}\n")
    assert isinstance(values, tuple)
    assert values[0].containers[0].image == "me/x"


def test_other_yaml_has_no_objects() -> None:
    """A file without kind and apiVersion declares nothing."""
    assert objects("a: 1") == ()
    assert not INFRASTRUCTURE["kubernetes"].looks(b"kind: x")


def argo(text: str) -> Workflow:
    """The one Argo workflow of a file."""
    raw = dedent(text).encode()
    assert systems()["argo"].looks(raw)
    (workflow,) = read_argo("a.yaml", raw, lambda _path: None)
    return workflow


def test_argo_cron_workflows() -> None:
    """A CronWorkflow's templates are jobs in the order of its DAG; `suspend` disables it."""
    workflow = argo(
        """
        apiVersion: argoproj.io/v1alpha1
        kind: CronWorkflow
        metadata: {name: nightly}
        spec:
          schedule: "0 1 * * *"
          suspend: true
          workflowSpec:
            entrypoint: main
            templates:
              - name: main
                dag:
                  tasks:
                    - {name: a, template: prepare}
                    - {name: b, template: train, dependencies: [a]}
              - {name: prepare, container: {image: x, command: [python, prepare.py]}}
              - name: train
                script: {image: x, command: [bash], source: "python train.py"}
              - {name: unused, container: {image: x, command: [rm]}}
        """
    )
    assert workflow.disabled
    assert workflow.triggers[0].disabled
    assert [(j.name, j.needs) for j in workflow.jobs] == [("prepare", ()), ("train", ("prepare",))]
    assert workflow.jobs[1].steps[0].commands[0].argv == ("python", "train.py")


def test_argo_sensors() -> None:
    """A Sensor starts the workflow that it holds on an event."""
    workflow = argo(
        """
        apiVersion: argoproj.io/v1alpha1
        kind: Sensor
        metadata: {name: new-data}
        spec:
          dependencies: [{name: d, eventSourceName: s3, eventName: upload}]
          triggers:
            - template:
                argoWorkflow:
                  source:
                    resource:
                      apiVersion: argoproj.io/v1alpha1
                      kind: Workflow
                      spec: {entrypoint: m, templates: [{name: m, container: {command: [t]}}]}
        """
    )
    assert (workflow.triggers[0].kind.value, workflow.triggers[0].types) == ("event", ("upload",))
    assert workflow.jobs[0].steps[0].commands[0].argv == ("t",)


def test_tekton() -> None:
    """Tasks are reusable, pipelines start from outside."""
    text = """
    apiVersion: tekton.dev/v1
    kind: Task
    metadata: {name: test}
    spec: {steps: [{name: t, image: python, script: "pytest"}]}
    ---
    apiVersion: tekton.dev/v1
    kind: Pipeline
    metadata: {name: ci}
    spec: {tasks: [{name: a, taskRef: {name: test}}, {name: b, runAfter: [a], taskSpec:
      {steps: [{command: [make], args: [x], onError: continue}]}}]}
    """
    task, pipeline = read_tekton("t.yaml", dedent(text).encode(), lambda _path: None)
    assert (task.reusable, task.jobs[0].steps[0].commands[0].argv) == (True, ("pytest",))
    a, b = pipeline.jobs
    assert (a.calls, b.needs, b.steps[0].soft) == ("test", ("a",), True)
    assert pipeline.triggers[0].kind.value == "external"


@given(st.one_of(st.binary(max_size=200), st.text("kind:apiVerso{}- []\n%.", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever the bytes, every reader answers."""
    raw = data.encode() if isinstance(data, str) else data
    read_kubernetes("k.yaml", raw)
    read_helm_values("values.yaml", raw)
    read_argo("k.yaml", raw, lambda _path: None)
    read_tekton("k.yaml", raw, lambda _path: None)

"""Azure's infrastructure: Bicep and ARM templates."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mlops_audit.facts.arm import read_arm
from mlops_audit.facts.infra import read_resources

_BICEP = b"""
/* resource old 'Microsoft.Web/sites@2022-03-01' = {
*/
resource board 'Microsoft.Portal/dashboards@2020-09-01-preview' = {
  name: name
}
resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
}
// resource off 'Microsoft.Web/sites@2022-03-01' = {
resource alert 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(mail)) {
}
"""
_TEMPLATE = b"""{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "resources": [
    {
      "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints",
      "name": "scores"
    }
  ]
}
"""


def test_bicep_declares_resources() -> None:
    """What a file declares is read; what it refers to or comments out is not."""
    found, unread = read_resources(["infra/main.bicep"], lambda _path: _BICEP)
    assert [(r.kind, r.name, r.span.line) for r in found] == [
        ("Microsoft.Portal/dashboards", "board", 4),
        ("Microsoft.Insights/metricAlerts", "alert", 10),
    ]
    assert not unread


def test_templates_declare_resources() -> None:
    """The resources of an ARM template are read by their types."""
    (found,), _ = read_resources(["azuredeploy.json"], lambda _path: _TEMPLATE)
    assert found.kind == "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
    assert found.span.line == 5


@given(st.one_of(st.binary(max_size=300), st.text("resource '@=/*x.\n", max_size=200)))
def test_arbitrary_input_never_raises(data: bytes | str) -> None:
    """Whatever a file holds, the reader gives resources or says why not."""
    raw = data.encode() if isinstance(data, str) else data
    read_arm("a.bicep", raw)
    read_arm("a.json", raw)

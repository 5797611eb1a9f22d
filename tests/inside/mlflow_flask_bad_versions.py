"""Register versions that must not be served; print, as JSON, their numbers by what is wrong with them."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

GOOD = Path("models/v1")


def with_node(path: Path, node: onnx.NodeProto, **constants: object) -> None:
    """Add a node to the model; its output becomes one of the model's."""
    model = onnx.load(path)
    model.graph.node.append(node)
    for name, value in constants.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    model.graph.output.append(
        helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
    )
    onnx.save(model, path)


def never_ends(path: Path) -> None:
    going_on = helper.make_tensor_value_info("going_on", TensorProto.BOOL, [])
    still = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    count = helper.make_tensor_value_info("count", TensorProto.INT64, [])
    number = helper.make_tensor_value_info("number", TensorProto.FLOAT, [])
    same = helper.make_tensor_value_info("same", TensorProto.FLOAT, [])
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going_on"], ["still"]),
            helper.make_node("Identity", ["number"], ["same"]),
        ],
        "body",
        [count, going_on, number],
        [still, same],
    )
    loop = helper.make_node("Loop", ["", "true", "zero"], ["endless"], body=body)
    with_node(path, loop, true=True, zero=np.float32(0))


def fills_the_memory(path: Path) -> None:
    node = helper.make_node("Expand", ["one", "shape"], ["huge"])
    with_node(path, node, one=np.float32([1]), shape=np.int64([2**40]))


def is_no_model(path: Path) -> None:
    path.write_bytes(b"not a model")


def is_too_large(path: Path) -> None:
    path.write_bytes(bytes(50_000_000))


BAD: list[Callable[[Path], None]] = [never_ends, fills_the_memory, is_no_model, is_too_large]

mlflow.set_experiment("bad versions")
numbers = {}
for spoil in BAD:
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run() as run:
        shutil.copytree(GOOD, folder, dirs_exist_ok=True)
        spoil(Path(folder) / "model.onnx")
        mlflow.log_artifacts(folder, "model")
        source = mlflow.get_artifact_uri("model")
        made = mlflow.MlflowClient().create_model_version("churn", source, run.info.run_id)
        numbers[spoil.__name__] = int(made.version)
print(json.dumps(numbers))

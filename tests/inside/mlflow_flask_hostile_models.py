"""Make model folders that no service should load, in /tmp; print, as JSON, what is said of each.

Given an address, register them there as versions of `churn` instead, and print their numbers.
"""

import json
import os
import pathlib
import pickle
import shutil
import sys

import candidate
import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from predict import ModelError

GOOD = pathlib.Path("models/v2")
CARD = json.loads((GOOD / "model.json").read_text())


class Evil:
    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/code-was-run",)


def folder(name: str, model: bytes | ModelProto | None = None, **card: object) -> pathlib.Path:
    """A copy of the good model with another model.onnx, or another card."""
    made = pathlib.Path("/tmp/hostile", name)
    shutil.copytree(GOOD, made)
    (made / "model.json").write_text(json.dumps({**CARD, **card}))
    if model is not None:
        content = model if isinstance(model, bytes) else model.SerializeToString()
        (made / "model.onnx").write_bytes(content)
    return made


def without_model() -> pathlib.Path:
    made = folder("no model.onnx")
    (made / "model.onnx").unlink()
    (made / "model.pkl").write_bytes(pickle.dumps(Evil()))
    return made


def sparse(name: str, file: str) -> pathlib.Path:
    made = folder(name)
    os.truncate(made / file, 600_000_000)
    return made


def graph(nodes: list[NodeProto], *constants: TensorProto) -> ModelProto:
    """A model with the inputs that the card has, and these nodes."""
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in CARD["numeric"]
    ]
    inputs += [
        helper.make_tensor_value_info(name, TensorProto.STRING, None)
        for name in CARD["categorical"]
    ]
    output = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, None)
    made = helper.make_graph(nodes, "hostile", inputs, [output], initializer=list(constants))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def endless() -> ModelProto:
    """A loop that goes round 2^62 times."""
    condition, number = (
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("in_condition", TensorProto.BOOL), ("number", TensorProto.INT64))
    )
    value = helper.make_tensor_value_info("in_value", TensorProto.FLOAT, [])
    outputs = [
        helper.make_tensor_value_info("out_condition", TensorProto.BOOL, []),
        helper.make_tensor_value_info("out_value", TensorProto.FLOAT, []),
    ]
    nodes = [
        helper.make_node("Identity", ["in_condition"], ["out_condition"]),
        helper.make_node("Add", ["in_value", "in_value"], ["out_value"]),
    ]
    body = helper.make_graph(nodes, "body", [number, condition, value], outputs)
    loop = helper.make_node("Loop", ["times", "yes", "zero"], ["probabilities"], body=body)
    constants = {"times": np.int64(2**62), "yes": np.bool_(True), "zero": np.float32(0)}
    return graph([loop], *(numpy_helper.from_array(np.array(v), k) for k, v in constants.items()))


def large(numbers: int) -> ModelProto:
    """A hundred bytes that become so many numbers."""
    shape = numpy_helper.from_array(np.array([numbers], np.int64), "shape")
    return graph([helper.make_node("ConstantOfShape", ["shape"], ["probabilities"])], shape)


def outside(path: str) -> ModelProto:
    """A model whose weights are a file of the machine that loads it."""
    weights = TensorProto(name="weights", data_type=TensorProto.UINT8, dims=[20])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=path)
    cast = helper.make_node("Cast", ["weights"], ["probabilities"], to=TensorProto.FLOAT)
    return graph([cast], weights)


def tree(child: int) -> ModelProto:
    """The good model, with another first branch in its first tree."""
    model = onnx.load(GOOD / "model.onnx")
    (trees,) = [node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier"]
    attributes: dict[str, AttributeProto] = {one.name: one for one in trees.attribute}
    attributes["nodes_truenodeids"].ints[0] = child
    return model


def all_of_them() -> list[pathlib.Path]:
    categorical = CARD["categorical"]
    content = (GOOD / "model.onnx").read_bytes()
    return [
        folder("unchanged"),
        folder("a pickle", pickle.dumps(Evil())),
        without_model(),
        folder("no ONNX", b"\x00\xff" * 10_000),
        folder("half a file", content[: len(content) // 2]),
        sparse("a large model", "model.onnx"),
        sparse("a large card", "model.json"),
        folder("an endless loop", endless()),
        folder("400 MB", large(10**8)),
        folder("400 GB", large(10**11)),
        folder("a file of the machine", outside("/etc/passwd")),
        folder("a file above", outside("../../../etc/passwd")),
        folder("a tree that leads to itself", tree(0)),
        folder("a tree that leads nowhere", tree(2**40)),
        folder("a metric is NaN", metrics={"roc_auc": float("nan")}),
        folder("too many metrics", metrics={f"metric {n}": 0.5 for n in range(300)}),
        folder("an unknown category", categorical={**categorical, "contract": ["weekly"]}),
        folder("a category of 1 KB", categorical={**categorical, "contract": ["x" * 1000]}),
        folder("no category", categorical={**categorical, "contract": []}),
        folder("a label too many", labels=["no", "yes", "maybe"]),
        folder("a long label", labels=["n" * 100, "yes"]),
        folder("a column too few", numeric={"age": [18, 120]}),
        folder("no labels", labels=None),
    ]


def said_of(path: pathlib.Path) -> str:
    try:
        candidate.try_out(path)
    except ModelError as error:
        return str(error)
    return "can be served"


def register(path: pathlib.Path) -> int:
    import mlflow

    with mlflow.start_run() as run:
        mlflow.log_artifacts(path, "model")
        source = mlflow.get_artifact_uri("model")
    return int(mlflow.MlflowClient().create_model_version("churn", source, run.info.run_id).version)


paths = all_of_them()
if names := sys.argv[1:]:
    print(json.dumps({path.name: register(path) for path in paths if path.name in names}))
else:
    said: dict[str, str | bool] = {path.name: said_of(path) for path in paths}
    said["code was run"] = pathlib.Path("/tmp/code-was-run").exists()
    print(json.dumps(said))

"""multilingual-e5-small as a graph that onnxruntime computes, its weights left in the 4 bits that they come in.

An encoder of the BERT family (Devlin 2019): layers of attention and of two products, each added to what came in and
normalised. The operators are ONNX's, and onnxruntime's own of the domain `com.microsoft` (its ContribOperators.md).
Used by `adapters.encoders.engines`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from adapters.encoders.e5file import BLOCK, E5File, Weights4

OURS, OPSET = "com.microsoft", 18
BY_BYTES = 4
"""`accuracy_level` of a product: what comes in is rounded to 8 bits, block by block."""


def graph(file: E5File) -> bytes:
    """A model with the input `text`, shape (1, tokens, width), and the output `vector`, shape (1, width)."""
    made = _Graph(file)
    x = made.normalised("LayerNormalization", ["text"], "emb.ln", axis=-1)
    for layer in range(file.sizes.layers):
        x = made.layer(x, f"l{layer}")
    made.node("ReduceMean", [x, made.constant("over tokens", np.array([1]))], "vector", keepdims=0)
    return made.model()


class _Graph:
    def __init__(self, file: E5File) -> None:
        self._file = file
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def layer(self, x: str, name: str) -> str:
        """Its output, named after it like everything within."""
        sizes = self._file.sizes
        parts = [self.product(x, f"{name}.{part}", sizes.width) for part in ("q", "k", "v")]
        seen = self.node("MultiHeadAttention", parts, f"{name}.seen", domain=OURS, num_heads=sizes.heads)
        told = self.product(seen, f"{name}.ao", sizes.width)
        x = self.normalised("SkipLayerNormalization", [x, told], f"{name}.aln", domain=OURS)
        inner = self.node("Gelu", [self.product(x, f"{name}.fi", sizes.width)], f"{name}.inner", domain=OURS)
        outer = self.product(inner, f"{name}.fo", sizes.inner)
        return self.normalised("SkipLayerNormalization", [x, outer], f"{name}.oln", domain=OURS)

    def product(self, x: str, name: str, columns: int) -> str:
        """`x` times the transposed matrix `name`.w, which has so many columns, plus `name`.b."""
        matrix = self._file.matrix(f"{name}.w", columns)
        inputs = [
            x,
            self.constant(f"{name}.w", _in_pairs(matrix)),
            self.constant(f"{name}.s", matrix.scales.ravel()),
            "",
            "",
            self.constant(f"{name}.b", self._file.numbers(f"{name}.b")),
        ]
        rows = len(matrix.blocks)
        return self.node(
            "MatMulNBits",
            inputs,
            name,
            domain=OURS,
            K=columns,
            N=rows,
            bits=4,
            block_size=BLOCK,
            accuracy_level=BY_BYTES,
        )

    def normalised(self, kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        weights = [self.constant(f"{name}.{part}", self._file.numbers(f"{name}.{part}")) for part in ("w", "b")]
        return self.node(kind, [*inputs, *weights], name, epsilon=self._file.sizes.epsilon, **attributes)

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, numbers: NDArray[np.generic]) -> str:
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(numbers), name))
        return name

    def model(self) -> bytes:
        width = self._file.sizes.width
        text = helper.make_tensor_value_info("text", TensorProto.FLOAT, [1, "tokens", width])
        vector = helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, width])
        whole = helper.make_graph(self._nodes, "e5", [text], [vector], self._constants)
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(OURS, 1)]
        return bytes(helper.make_model(whole, opset_imports=domains, ir_version=9).SerializeToString())


def _in_pairs(matrix: Weights4) -> NDArray[np.uint8]:
    """As MatMulNBits has it, shape (rows, blocks, BLOCK / 2): a byte has weight 2 i, and weight 2 i + 1 above it."""
    values = matrix.values
    return np.asarray(values[..., 0::2] | values[..., 1::2] << 4, np.uint8)

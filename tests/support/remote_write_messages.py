"""The messages of remote write 2.0 as classes of protobuf, from a table of what `io/prometheus/write/v2/types.proto` declares.

They decode what the product writes by hand.
"""

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

PACKAGE = "io.prometheus.write.v2"
MESSAGES: Mapping[str, str] = {
    "Request": "4 repeated string symbols, 5 repeated TimeSeries timeseries",
    "TimeSeries": (
        "1 repeated uint32 labels_refs, 2 repeated Sample samples, 3 repeated Histogram histograms, 4 repeated Exemplar exemplars,"
        "5 optional Metadata metadata"
    ),
    "Exemplar": "1 repeated uint32 labels_refs, 2 optional double value, 3 optional int64 timestamp",
    "Sample": "1 optional double value, 2 optional int64 timestamp",
    "Metadata": "1 optional int32 type, 3 optional uint32 help_ref, 4 optional uint32 unit_ref",
    "Histogram": (
        "1 optional uint64 count_int, 2 optional double count_float, 3 optional double sum, 4 optional sint32 schema,"
        "5 optional double zero_threshold, 6 optional uint64 zero_count_int, 7 optional double zero_count_float,"
        "8 repeated BucketSpan negative_spans, 9 repeated sint64 negative_deltas, 10 repeated double negative_counts,"
        "11 repeated BucketSpan positive_spans, 12 repeated sint64 positive_deltas, 13 repeated double positive_counts,"
        "14 optional int32 reset_hint, 15 optional int64 timestamp, 16 repeated double custom_values"
    ),
    "BucketSpan": "1 optional sint32 offset, 2 optional uint32 length",
}


def _declare() -> FileDescriptorProto:
    """Enumerations are declared as numbers, and the members of a `oneof` as fields: on the wire they are the same."""
    file = FileDescriptorProto(name="write_v2.proto", package=PACKAGE, syntax="proto3")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for one in fields.split(","):
            number, label, kind, field = one.split()
            added = message.field.add(name=field, number=int(number))
            added.label = FieldDescriptorProto.Label.Value(f"LABEL_{label.upper()}")
            if kind in MESSAGES:
                added.type = FieldDescriptorProto.TYPE_MESSAGE
                added.type_name = f".{PACKAGE}.{kind}"
            else:
                added.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
    return file


def decode_request(body: bytes) -> Any:
    """The message `io.prometheus.write.v2.Request`. Raises DecodeError, and ValueError for a field that is not declared."""
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_declare())
    request = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.Request"))()
    request.ParseFromString(body)
    known = request.SerializeToString()
    request.DiscardUnknownFields()
    if request.SerializeToString() != known:
        raise ValueError("it has fields that the specification does not")
    return request

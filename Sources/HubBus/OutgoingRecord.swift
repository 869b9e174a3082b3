import CRdKafka
import HubModel

/// Hands records to librdkafka.
enum OutgoingRecord {
    /// Queues a copy of one record; does not block.
    ///
    /// - Parameter number: comes back with the delivery report.
    static func enqueue(_ record: Record, number: UInt, _ rk: OpaquePointer) -> rd_kafka_resp_err_t {
        var headers: OpaquePointer?
        if !record.headers.isEmpty {
            headers = rd_kafka_headers_new(record.headers.count)
            for header in record.headers {
                withBytes(header.value) { value, size in
                    _ = rd_kafka_header_add(headers, header.name, -1, value, value == nil ? 0 : size)
                }
            }
        }
        let error = record.topic.withCString { topic in
            withBytes(record.key) { key, keySize in
                withBytes(record.value) { value, valueSize in
                    enqueue(
                        topic, max(record.partition, -1), (key, keySize), (value, valueSize), headers, record.timestamp, number, rk)
                }
            }
        }
        // librdkafka owns the headers only of what it has accepted.
        if error != RD_KAFKA_RESP_ERR_NO_ERROR, let headers { rd_kafka_headers_destroy(headers) }
        return error
    }

    private typealias Bytes = (start: UnsafeMutableRawPointer?, count: Int)

    private static func enqueue(
        _ topic: UnsafePointer<CChar>, _ partition: Int32, _ key: Bytes, _ value: Bytes, _ headers: OpaquePointer?,
        _ timestamp: Int64?, _ number: UInt, _ rk: OpaquePointer
    ) -> rd_kafka_resp_err_t {
        withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { arguments in
            var count = 0
            func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
                var argument = rd_kafka_vu_t()
                argument.vtype = type
                fill(&argument)
                arguments.initializeElement(at: count, to: argument)
                count += 1
            }
            add(RD_KAFKA_VTYPE_TOPIC) { $0.u.cstr = topic }
            add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = partition }
            add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY }
            add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = UnsafeMutableRawPointer(bitPattern: number) }
            add(RD_KAFKA_VTYPE_KEY) {
                $0.u.mem.ptr = key.start
                $0.u.mem.size = key.count
            }
            add(RD_KAFKA_VTYPE_VALUE) {
                $0.u.mem.ptr = value.start
                $0.u.mem.size = value.count
            }
            if let headers { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
            if let timestamp { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = timestamp } }
            guard let error = rd_kafka_produceva(rk, arguments.baseAddress, count) else { return RD_KAFKA_RESP_ERR_NO_ERROR }
            defer { rd_kafka_error_destroy(error) }
            return rd_kafka_error_code(error)
        }
    }

    /// Lends bytes to C: a null pointer where they are absent, a real one where they are present and empty.
    private static func withBytes<R>(_ bytes: [UInt8]?, _ body: (UnsafeMutableRawPointer?, Int) -> R) -> R {
        guard let bytes else { return body(nil, 0) }
        if bytes.isEmpty {
            return withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { body($0.baseAddress, 0) }
        }
        // librdkafka copies and does not write, though its argument is not declared const.
        return bytes.withUnsafeBytes { body(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count) }
    }
}

import CPostgres
package import HubModel

/// What a statement gave: rows, or how many rows it changed.
// @unchecked Sendable because libpq never changes a result after it has been handed over, and this is its one owner.
package final class PostgresResult: @unchecked Sendable {
    private let result: OpaquePointer
    package let count: Int

    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
    }

    deinit { PQclear(result) }

    /// Rows that the statement inserted, changed or deleted.
    package var changes: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }
    /// What was done: `INSERT 0 1`, `COMMIT`.
    package var tag: String { String(cString: PQcmdStatus(result)) }
    /// Bytes that the result takes in memory.
    package var size: Int { PQresultMemorySize(result) }

    package subscript(row: Int) -> PostgresRow { PostgresRow(result: self, row: Int32(row)) }
    package var first: PostgresRow? { count > 0 ? self[0] : nil }
    package var rows: [PostgresRow] { (0..<count).map { self[$0] } }

    fileprivate func isNull(_ row: Int32, _ column: Int32) -> Bool { PQgetisnull(result, row, column) == 1 }

    fileprivate func raw(_ row: Int32, _ column: Int32) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    }
}

/// One row, its columns by place. Every value has come as text, so that none is rounded.
package struct PostgresRow {
    let result: PostgresResult
    let row: Int32

    package func isNull(_ column: Int32) -> Bool { result.isNull(row, column) }

    package func text(_ column: Int32) -> String { String(decoding: result.raw(row, column), as: UTF8.self) }
    package func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    /// The text's bytes: JSON, for a reader.
    package func utf8(_ column: Int32) -> [UInt8] { Array(result.raw(row, column)) }

    /// What `body` makes of the text's bytes, which are gone when it returns.
    package func withBytes<T>(
        _ column: Int32, _ body: (UnsafeRawBufferPointer) throws(PostgresError) -> T
    ) throws(PostgresError) -> T {
        defer { withExtendedLifetime(result) {} }
        return try body(result.raw(row, column))
    }

    /// A whole number; 0 where it is null or none.
    package func integer(_ column: Int32) -> Int64 {
        var value: Int64 = 0
        var isNegative = false
        for byte in result.raw(row, column) {
            if byte == 0x2D {
                isNegative = true
                continue
            }
            guard byte >= 0x30, byte <= 0x39 else { return 0 }
            // Downwards, so that the least of all fits; what does not fit is no whole number of 64 bits.
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, tooMuch) = product.subtractingReportingOverflow(Int64(byte - 0x30))
            if overflow || tooMuch { return 0 }
            value = sum
        }
        return isNegative ? value : value == .min ? 0 : -value
    }

    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    package func flag(_ column: Int32) -> Bool { result.raw(row, column).first == 0x74 }

    /// A `numeric` exactly as PostgreSQL writes it; nil for null, NaN and the infinities.
    package func number(_ column: Int32) -> Number? { isNull(column) ? nil : Number(json: result.raw(row, column)) }

    /// A `timestamptz` (the session's zone is UTC), cut to milliseconds; nil for null and the infinities.
    package func instant(_ column: Int32) -> Instant? { isNull(column) ? nil : Instant(postgres: text(column)) }

    /// A `bytea`; nil for null.
    package func bytes(_ column: Int32) -> [UInt8]? {
        if isNull(column) { return nil }
        let raw = result.raw(row, column)
        guard raw.count >= 2, raw[0] == 0x5C, raw[1] == 0x78 else { return Array(raw) }
        return Array(unsafeUninitializedCapacity: (raw.count - 2) / 2) { bytes, count in
            count = (raw.count - 2) / 2
            for place in 0..<count { bytes[place] = Self.digit(raw[2 + 2 * place]) << 4 | Self.digit(raw[3 + 2 * place]) }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8 { byte >= 0x61 ? byte - 0x61 + 10 : byte - 0x30 }

    package func id<I: Identifier>(_ column: Int32) -> I { I(text(column)) }
    package func optionalID<I: Identifier>(_ column: Int32) -> I? { isNull(column) ? nil : I(text(column)) }
}

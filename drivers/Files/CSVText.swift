/// CSV's rows as they are written: RFC 4180, lines ended by CR and LF.
enum CSVText {
    /// One row; nil is an empty cell, an empty text stands in quotes.
    static func row(_ cells: [[UInt8]?], delimiter: UInt8) -> [UInt8] {
        var bytes: [UInt8] = []
        for (place, cell) in cells.enumerated() {
            if place > 0 { bytes.append(delimiter) }
            guard let cell else { continue }
            guard needsQuotes(cell, delimiter) else {
                bytes += cell
                continue
            }
            bytes.append(Byte.quote)
            for byte in cell {
                if byte == Byte.quote { bytes.append(byte) }
                bytes.append(byte)
            }
            bytes.append(Byte.quote)
        }
        return bytes + [Byte.carriageReturn, Byte.lineFeed]
    }

    /// Spaces at the ends are quoted too, as some readers take them off.
    private static func needsQuotes(_ cell: [UInt8], _ delimiter: UInt8) -> Bool {
        guard let first = cell.first, let last = cell.last else { return true }
        return first == 0x20 || last == 0x20
            || cell.contains { $0 == delimiter || $0 == Byte.quote || $0 == Byte.lineFeed || $0 == Byte.carriageReturn }
    }
}

/// NDJSON's rows: lines that end with a line feed, or with the file.
struct LineScanner: RowScanner {
    let limit: Int

    func next(_ source: ByteSource, line: inout Int) throws -> ScannedRow? {
        while try source.peek() != nil {
            var row = ScannedRow(lines: line...line)
            while let byte = try source.next(), byte != Byte.lineFeed {
                if row.raw.count < limit { row.raw.append(byte) } else { row.problem = "the line is longer than \(limit) bytes" }
            }
            line += 1
            if row.raw.last == Byte.carriageReturn { row.raw.removeLast() }
            if row.raw.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) && row.problem == nil { continue }
            row.cells = [.init(bytes: row.raw)]
            return row
        }
        return nil
    }
}

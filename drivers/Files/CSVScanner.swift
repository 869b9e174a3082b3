/// CSV's rows by RFC 4180, strictly: a quote where none may stand is an error of its row, never guessed at.
///
/// A row that cannot be read ends with the line on which that was seen. So text inside quotes is never taken for rows of its own, and
/// everything that was passed over stands in ``ScannedRow/raw``.
struct CSVScanner: RowScanner {
    let delimiter: UInt8
    let limit: Int

    private enum State {
        case cellStart, inCell, inQuotes, behindQuote
        /// A carriage return has come: a line feed has to follow.
        case behindReturn
        /// The row is wrong: passed over up to the end of its line.
        case passing
    }

    /// One row under way.
    private struct Reading {
        var row: ScannedRow
        var cell = ScannedRow.Cell()
        var state = State.cellStart

        mutating func endCell() {
            row.cells.append(cell)
            cell = ScannedRow.Cell()
            state = .cellStart
        }

        mutating func fail(_ problem: String) {
            row.problem = row.problem ?? problem
            state = .passing
        }
    }

    func next(_ source: ByteSource, line: inout Int) throws -> ScannedRow? {
        while try source.peek() != nil {
            let row = try read(source, &line)
            if row.problem == nil, row.cells.count == 1, row.cells[0].bytes.isEmpty, !row.cells[0].isQuoted { continue }
            return row
        }
        return nil
    }

    private func read(_ source: ByteSource, _ line: inout Int) throws -> ScannedRow {
        let first = line
        var reading = Reading(row: ScannedRow(lines: first...first))
        var isEnded = false
        while !isEnded, let byte = try source.next() {
            isEnded = byte == Byte.lineFeed && reading.state != .inQuotes
            if !isEnded { keep(byte, &reading) }
            take(byte, &reading)
            if byte == Byte.lineFeed { line += 1 }
        }
        if !isEnded {
            // The last line may lack its end.
            if reading.state == .inQuotes { reading.fail("a quote is opened and never closed") }
            if reading.state == .behindReturn { reading.fail("a carriage return stands alone") }
            if reading.state != .passing { reading.endCell() }
            // Inside of quotes the last line end has been counted.
            if reading.row.raw.last != Byte.lineFeed { line += 1 }
        }
        reading.row.lines = first...max(first, line - 1)
        if reading.row.problem != nil { reading.row.cells = [] }
        for end in [Byte.lineFeed, Byte.carriageReturn] where reading.row.raw.last == end { reading.row.raw.removeLast() }
        return reading.row
    }

    /// Keeps the row's own bytes, up to the limit; what is longer is read on to its end and refused.
    private func keep(_ byte: UInt8, _ reading: inout Reading) {
        if reading.row.raw.count < limit { return reading.row.raw.append(byte) }
        reading.row.problem = reading.row.problem ?? "the row is longer than \(limit) bytes"
        reading.cell.bytes = []
        reading.row.cells = []
    }

    private func take(_ byte: UInt8, _ reading: inout Reading) {
        switch reading.state {
        case .cellStart where byte == Byte.quote:
            reading.cell.isQuoted = true
            reading.state = .inQuotes
        case .cellStart, .inCell, .behindQuote: takePlain(byte, &reading)
        case .inQuotes where byte == Byte.quote: reading.state = .behindQuote
        case .inQuotes: reading.cell.bytes.append(byte)
        case .behindReturn where byte == Byte.lineFeed: reading.endCell()
        case .behindReturn: reading.fail("a carriage return stands alone outside of quotes")
        case .passing: break
        }
    }

    /// Outside of quotes.
    private func takePlain(_ byte: UInt8, _ reading: inout Reading) {
        switch byte {
        case delimiter, Byte.lineFeed: reading.endCell()
        case Byte.carriageReturn: reading.state = .behindReturn
        case Byte.quote where reading.state == .behindQuote:
            reading.cell.bytes.append(byte)
            reading.state = .inQuotes
        case Byte.quote: reading.fail("a quote stands inside a cell that is not quoted")
        case _ where reading.state == .behindQuote: reading.fail("something stands behind a closing quote")
        default:
            reading.cell.bytes.append(byte)
            reading.state = .inCell
        }
    }
}

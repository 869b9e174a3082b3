import Foundation
import HubDriver
import HubModel
import Testing

@testable import Files

/// RFC 4180, both ways.
struct CSVTests {
    /// Rows, with a problem in the place of cells where one cannot be read.
    private func scan(_ text: String, delimiter: Character = ",", limit: Int = 1000) throws -> [ScannedRow] {
        let path = NSTemporaryDirectory() + "csv-\(UUID().uuidString)"
        try DurableFile.make(path, holding: Array(text.utf8))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let source = try ByteSource(path: path)
        let scanner = CSVScanner(delimiter: delimiter.asciiValue ?? 0, limit: limit)
        var (rows, line) = ([ScannedRow](), 1)
        while let row = try scanner.next(source, line: &line) { rows.append(row) }
        return rows
    }

    private func cells(_ rows: [ScannedRow]) -> [[String]] {
        rows.map { row in row.problem.map { [$0] } ?? row.cells.map { String(decoding: $0.bytes, as: UTF8.self) } }
    }

    /// The rules of RFC 4180, section 2, and what other readers' suites ask.
    @Test(arguments: [
        ("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
        ("aaa,bbb,ccc\r\nzzz,yyy,xxx", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
        ("a,b\nc,d\n", [["a", "b"], ["c", "d"]]),
        ("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", [["aaa", "bbb", "ccc"], ["zzz", "yyy", "xxx"]]),
        ("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx", [["aaa", "b\r\nbb", "ccc"], ["zzz", "yyy", "xxx"]]),
        ("\"aaa\",\"b\"\"bb\",\"ccc\"", [["aaa", "b\"bb", "ccc"]]),
        ("John,Doe,120 any st.,\"Anytown, WW\",08123\n", [["John", "Doe", "120 any st.", "Anytown, WW", "08123"]]),
        ("1,\"\",\"\"\n2,3,4\n", [["1", "", ""], ["2", "3", "4"]]),
        ("1,\"ha \"\"ha\"\" ha\"\n", [["1", "ha \"ha\" ha"]]),
        ("1,\"{\"\"type\"\": \"\"Point\"\"}\"\n", [["1", "{\"type\": \"Point\"}"]]),
        ("1,\"ha\n\"\"ha\"\"\nha\"\n3,4\n", [["1", "ha\n\"ha\"\nha"], ["3", "4"]]),
        ("a,b,c\n1,2,3\n4,5,ʤ\n", [["a", "b", "c"], ["1", "2", "3"], ["4", "5", "ʤ"]]),
        (" a , b \n", [[" a ", " b "]]), (",\n", [["", ""]]), ("a,\n", [["a", ""]]), ("a,", [["a", ""]]), ("\"\"", [[""]]),
        ("\"\"\"\"\n", [["\""]]), ("", []), ("\r\n\n\r\n", []), ("a\n\n\nb\n", [["a"], ["b"]]), ("\"a\"\r\n", [["a"]]),
    ])
    func rowsAreRead(_ text: String, _ expected: [[String]]) throws { #expect(cells(try scan(text)) == expected) }

    @Test func anEmptyTextIsToldApartFromNothing() throws {
        let row = try #require(try scan("\"\",,x\n").first)
        #expect(row.cells.map(\.isQuoted) == [true, false, false])
    }

    @Test(arguments: [";": "a;b", "\t": "a\tb", "|": "a|b"]) func otherDelimiters(_ delimiter: String, _ text: String) throws {
        #expect(cells(try scan(text + "\n", delimiter: try #require(delimiter.first))) == [["a", "b"]])
    }

    /// What is wrong, on which lines, and that the rows behind are read.
    @Test(arguments: [
        ("a\"b,c\n1,2\n", "a quote stands inside a cell that is not quoted", 1...1, 1),
        ("x,y\n\"a\"b,c\n1,2\n", "something stands behind a closing quote", 2...2, 2),
        ("\"a\" ,c\n1,2\n", "something stands behind a closing quote", 1...1, 1),
        ("a,\"b\nc,d\n", "a quote is opened and never closed", 1...2, 0),
        ("a\rb,c\n1,2\n", "a carriage return stands alone outside of quotes", 1...1, 1),
        ("a,b\r", "a carriage return stands alone", 1...1, 0),
        ("1,\"note\n2,John\n3,\"Mary\"\n4,5\n", "something stands behind a closing quote", 1...3, 1),
    ])
    func whatIsWrongIsNamedAndNothingIsGuessed(_ text: String, _ problem: String, _ lines: ClosedRange<Int>, _ good: Int) throws {
        let rows = try scan(text)
        let bad = rows.filter { $0.problem != nil }
        #expect(bad.map(\.problem) == [problem] && bad.first?.lines == lines)
        #expect(rows.count - bad.count == good)
        // All that was passed over stands there.
        let raw = text.split(separator: "\n", omittingEmptySubsequences: false)[(lines.lowerBound - 1)..<lines.upperBound].joined(
            separator: "\n")
        #expect(String(decoding: bad.first?.raw ?? [], as: UTF8.self) == raw.trimmingSuffix { $0 == "\r" || $0 == "\n" })
    }

    @Test func aRowThatIsTooLongIsPassedOverWithoutItsText() throws {
        let rows = try scan(
            "1,\"" + String(repeating: "x,\n", count: 1000) + "\"\n" + String(repeating: ",", count: 5000) + "\n2,3\n", limit: 100)
        #expect(rows.map { $0.problem != nil } == [true, true, false])
        #expect(rows[0].problem == "the row is longer than 100 bytes" && rows[0].raw.count == 100 && rows[0].lines == 1...1001)
        #expect(rows[2].lines == 1003...1003)
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let texts = ["", " ", "a", "a,b", "a;b", "\"", "\"\"", "a\r\nb", "\n", " a ", "ä€😀", "0", "\t", "a\rb"]
        for delimiter in [",", ";", "\t"] as [Character] {
            let row = CSVText.row(texts.map { Array($0.utf8) } + [nil], delimiter: try #require(delimiter.asciiValue))
            let read = try scan(String(decoding: row + row, as: UTF8.self), delimiter: delimiter)
            #expect(cells(read) == [texts + [""], texts + [""]])
            #expect(read[0].cells.first?.isQuoted == true && read[0].cells.last?.isQuoted == false)
        }
    }

    @Test func linesOfNDJSONAreBoundedAndCounted() throws {
        let path = NSTemporaryDirectory() + "lines-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = "{\"a\":1}\r\n\n  \n" + String(repeating: "x", count: 500) + "\n{\"a\":2}"
        try DurableFile.make(path, holding: Array(text.utf8))
        let source = try ByteSource(path: path)
        var (rows, line) = ([ScannedRow](), 1)
        while let row = try LineScanner(limit: 100).next(source, line: &line) { rows.append(row) }
        #expect(rows.map(\.lines.lowerBound) == [1, 4, 5])
        #expect(rows.map(\.problem) == [nil, "the line is longer than 100 bytes", nil])
        #expect(rows[0].raw == Array("{\"a\":1}".utf8) && rows[2].raw == Array("{\"a\":2}".utf8))
    }
}

extension String {
    fileprivate func trimmingSuffix(_ isCut: (Character) -> Bool) -> String {
        var text = self[...]
        while let last = text.last, isCut(last) { text.removeLast() }
        return String(text)
    }
}

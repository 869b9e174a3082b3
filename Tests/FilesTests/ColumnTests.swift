import HubDriver
import HubModel
import Testing

@testable import Files

struct ColumnTests {
    private func value(_ kind: Column.Kind, _ text: String, encoding: TextEncoding = .utf8) throws -> Value {
        try Column(name: "x", kind: kind).value(ScannedRow.Cell(bytes: Array(text.utf8)), encoding)
    }

    @Test func numbersKeepEveryDigit() throws {
        #expect(try value(.number(point: UInt8(ascii: ".")), "1234567890123456789.10").number?.description == "1234567890123456789.10")
        let comma = Column.Kind.number(point: UInt8(ascii: ","))
        #expect(try value(comma, "-12,50").number?.description == "-12.50")
        #expect(Column(name: "x", kind: comma).cell(.number(Number(-1250, scale: 2))) == "-12,50")
        for text in ["1.5", "1,5,0", "1 000", "007", "+5", "x", "1,"] {
            #expect(throws: Column.Mistake.self, "\(text)") { try value(comma, text) }
        }
    }

    @Test(arguments: [
        ("YYYY-MM-DD", "2024-02-29", "2024-02-29"), ("DD.MM.YYYY", "29.02.2024", "2024-02-29"), ("MM/DD/YYYY", "02/29/2024", "2024-02-29"),
        ("YYYYMMDD", "20240229", "2024-02-29"),
    ])
    func datesAreReadAndWrittenInTheirForm(_ form: String, _ text: String, _ date: String) throws {
        let kind = Column.Kind.date(try #require(DatePattern(form)))
        #expect(try value(kind, text) == .string(date))
        #expect(Column(name: "x", kind: kind).cell(.string(date)) == text)
        let other = String(text.replacing("2024", with: "2023"))
        #expect(throws: Column.Mistake.self, "2023 has no 29 February") { try value(kind, other) }
        #expect(throws: Column.Mistake.self) { try value(kind, text + "1") }
        #expect(throws: Column.Mistake.self) { try value(kind, String(text.replacing("9", with: "x"))) }
    }

    @Test(arguments: ["YY-MM-DD", "DD.MM", "YYYY-DD-MM", "YYYYY-MM-DD", "", "date"]) func otherFormsOfDatesAreRefused(_ form: String) {
        #expect(DatePattern(form) == nil)
    }

    @Test func truthValuesHaveTwoWords() throws {
        let kind = Column.Kind.boolean(yes: "J", no: "N")
        #expect(try value(kind, "J") == .bool(true))
        #expect(Column(name: "x", kind: kind).cell(.bool(false)) == "N")
        #expect(throws: Column.Mistake.self) { try value(kind, "true") }
    }

    @Test func nothingIsNullAndAnEmptyTextIsATextInQuotes() throws {
        let column = Column(name: "x", kind: .text)
        #expect(try column.value(ScannedRow.Cell(), .utf8) == .null)
        #expect(try column.value(ScannedRow.Cell(isQuoted: true), .utf8) == .string(""))
    }

    @Test func windowsAndLatinAreReadAndWrittenWhereTheyCan() throws {
        let column = Column(name: "x", kind: .text)
        #expect(try column.value(ScannedRow.Cell(bytes: [0x80, 0xE4, 0x93]), .windows1252) == .string("€ä“"))
        #expect(try column.value(ScannedRow.Cell(bytes: [0xE4, 0xFF]), .latin1) == .string("äÿ"))
        #expect(throws: Column.Mistake.self, "0x81 means nothing") { try column.value(ScannedRow.Cell(bytes: [0x81]), .windows1252) }
        #expect(throws: Column.Mistake.self) { try column.value(ScannedRow.Cell(bytes: [0xE4, 0x20]), .utf8) }
        #expect(TextEncoding.windows1252.bytes("€ä“") == [0x80, 0xE4, 0x93])
        #expect(
            TextEncoding.latin1.bytes("€") == nil && TextEncoding.windows1252.bytes("ł") == nil
                && TextEncoding.windows1252.bytes("\u{81}") == nil)
        for byte in UInt8.min...UInt8.max {
            for encoding in [TextEncoding.latin1, .windows1252] {
                if let text = encoding.text([byte]) { #expect(encoding.bytes(text) == [byte]) }
            }
        }
    }

    // MARK: Declarations

    @Test func aDeclarationGoesOnOverIndentedLines() throws {
        let text = """
            # what the shop drops
            customer: in=customers*.csv out=customers key=id operation=op  # both ways
              columns=id,name,limit:number,since:date:DD.MM.YYYY,active:boolean:J:N,op
              delimiter=semicolon decimal=comma encoding=windows-1252 codes=N,A,L
            stock: in=stock.ndjson format=ndjson key=sku columns=sku,levels:json mode=snapshot absent=deleted processed=keep
            """
        let types = try TypeDeclaration.all(text, of: "shop")
        #expect(types.map(\.native) == ["customer", "stock"])
        #expect(types[0].delimiter == UInt8(ascii: ";") && types[0].encoding == .windows1252 && types[0].codes.delete == "L")
        #expect(types[0].columns[2].kind == .number(point: UInt8(ascii: ",")))
        #expect(types[0].manifest.operations.contains(.delete) && types[0].manifest.tellsDeletes)
        #expect(types[1].absentIsDeleted && types[1].processed == .keep && types[1].manifest.operations.isEmpty)
    }

    @Test(arguments: [
        ("", "needs the setting types"), ("customer", "a colon"), ("a: in=x key=id", "columns= is missing"),
        ("a: in=x columns=id", "key= is missing"), ("a: key=id columns=id", "neither in= nor out="),
        ("a: in=x key=no columns=id", "none of its columns"), ("a: in=x key=id columns=id:number", "has to be text"),
        ("a: in=x key=id columns=id,id", "twice"), ("a: in=x key=id columns=id,v:money", "none of text"),
        ("a: in=x key=id columns=id colour=red", "no word colour="), ("a: in=x key=id columns=id mode=some", "none of changes, snapshot"),
        ("a: in=x key=id columns=id absent=deleted", "needs mode=snapshot"), ("a: in=x key=id columns=id,j:json", "NDJSON only"),
        ("a: in=x key=id columns=id,op operation=op mode=snapshot", "no operation column"),
        ("a: in=x key=id operation=id columns=id", "of their own"),
        ("a: in=x key=id columns=id format=ndjson encoding=latin-1", "NDJSON is UTF-8"),
        ("a: out=x/y key=id columns=id", "beginning of a file's name"),
        ("a: in=x key=id columns=id\na: in=y key=id columns=id", "declared twice"),
        ("a: in=x key=id columns=id codes=I,I,D", "codes= are three"),
        ("a: in=x key=id columns=id limit=1", "100 to 64000000"), ("a: in=x key=id columns=id,d:date:DDMM", "no form of a date"),
    ])
    func mistakesInDeclarationsAreNamed(_ text: String, _ words: String) {
        #expect {
            try TypeDeclaration.all(text, of: "shop")
        } throws: { error in
            "\(error)".contains(words)
        }
    }

    @Test func theFactoryWantsFoldersForWhatIsDeclared() {
        func make(_ values: [String: String]) throws { _ = try FilesFactory.make(DriverSettings(application: "shop", values: values)) }
        let type = "a: in=x out=y key=id columns=id"
        #expect(throws: DriverError.self) { try make(["types": type]) }
        #expect(throws: DriverError.self) { try make(["types": type, "inbound": "/tmp/x"]) }
        #expect(throws: DriverError.self) { try make(["types": type, "outbound": "/tmp/x"]) }
        #expect(throws: DriverError.self) { try make(["types": type, "inbound": "/tmp/x", "outbound": "/tmp/x"]) }
        #expect(throws: DriverError.self) { try make(["types": type, "inbound": "/tmp/x", "outbound": "/tmp/y", "batch": "0"]) }
        #expect(throws: Never.self) { try make(["types": type, "inbound": "/tmp/x", "outbound": "/tmp/y"]) }
    }
}

import HubModel
import PostgresClient
import Testing

/// The messages of `pgoutput`, read strictly.
@Suite struct LogicalMessageTests {
    private static func big<N: FixedWidthInteger>(_ number: N) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }
    private static func named(_ text: String) -> [UInt8] { Array(text.utf8) + [0] }
    private static func value(_ text: String) -> [UInt8] { joined([0x74], big(UInt32(text.utf8.count)), Array(text.utf8)) }

    private static func joined(_ parts: [UInt8]...) -> [UInt8] { parts.flatMap { $0 } }

    private static let begin = joined([0x42], big(UInt64(0x16_B374_D848)), big(Int64(1_500_000)), big(UInt32(7)))
    private static let commit = joined([0x43, 0], big(UInt64(1)), big(UInt64(2)), big(Int64(0)))
    private static let relation = joined(
        [0x52], big(UInt32(99)), named("crm"), named("customer"), [0x64], big(UInt16(2)), [1], named("id"), big(UInt32(20)),
        big(Int32(-1)), [0], named("name"), big(UInt32(25)), big(Int32(-1)))
    private static let insert = joined([0x49], big(UInt32(99)), [0x4E], big(UInt16(2)), value("17"), [0x6E])
    private static let update = joined(
        [0x55], big(UInt32(99)), [0x4B], big(UInt16(2)), value("17"), [0x6E], [0x4E], big(UInt16(2)), value("18"), [0x75])
    private static let delete = joined([0x44], big(UInt32(99)), [0x4F], big(UInt16(1)), value("18"))
    private static let truncate = joined([0x54], big(UInt32(2)), [1], big(UInt32(99)), big(UInt32(100)))

    private func read(_ bytes: [UInt8]) throws(LogicalMessageError) -> LogicalMessage {
        try bytes.withUnsafeBufferPointer { raw throws(LogicalMessageError) in try LogicalMessage(UnsafeRawBufferPointer(raw)) }
    }

    @Test func messagesAreRead() throws {
        let place = try #require(LogSequenceNumber("16/B374D848"))
        #expect(try read(Self.begin) == .begin(commit: place, time: Instant(milliseconds: 946_684_801_500), transaction: 7))
        #expect(try read(Self.commit) == .commit(commit: LogSequenceNumber(1), end: LogSequenceNumber(2)))
        guard case .relation(let relation) = try read(Self.relation) else {
            Issue.record("no relation")
            return
        }
        #expect(relation.id == 99 && relation.schema == "crm" && relation.name == "customer")
        #expect(relation.columns.map(\.name) == ["id", "name"] && relation.columns.map(\.isIdentity) == [true, false])
        #expect(relation.columns.map(\.type) == [20, 25])
        guard case .insert(99, let new) = try read(Self.insert), case .text(let range) = new.columns[0] else {
            Issue.record("no insert")
            return
        }
        #expect(Array(Self.insert[range]) == Array("17".utf8) && new.columns[1] == .null)
        guard case .update(99, let old?, let changed) = try read(Self.update) else {
            Issue.record("no update")
            return
        }
        #expect(old.columns.count == 2 && changed.columns[1] == .unchanged)
        #expect(try read(Self.truncate) == .truncate(relations: [99, 100]))
    }

    @Test(arguments: [begin, commit, relation, insert, update, delete, truncate])
    func nothingShorterOrLongerIsTakenForAMessage(_ whole: [UInt8]) throws {
        _ = try read(whole)
        for count in 0..<whole.count {
            #expect(throws: LogicalMessageError.self) { try read(Array(whole.prefix(count))) }
        }
        #expect(throws: LogicalMessageError.self) { try read(whole + [0]) }
    }

    @Test(arguments: [[0x53, 0, 0, 0, 1], [0x78], [0x54, 0xFF, 0xFF, 0xFF, 0xFF], [0x49, 0, 0, 0, 99, 0x4E, 0xFF, 0xFF]] as [[UInt8]])
    func whatWasNotAskedForIsRefused(_ bytes: [UInt8]) {
        #expect(throws: LogicalMessageError.self) { try read(bytes) }
    }

    @Test func placesInTheLogAreWrittenAsPostgreSQLWritesThem() {
        #expect(LogSequenceNumber("0/16B3748")?.rawValue == 0x16B_3748)
        #expect(LogSequenceNumber(0x16_B374_D848).description == "16/B374D848")
        #expect(LogSequenceNumber("16") == nil && LogSequenceNumber("g/1") == nil && LogSequenceNumber("") == nil)
    }
}

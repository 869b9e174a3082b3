import Foundation
import HubModel
import PostgresClient
import Testing

/// The libpq client on a real server.
@Suite(.enabled(if: Live.isThere, Live.why)) struct ClientTests {
    @Test func valuesGoThereAndBackExactly() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        let long = try #require(Number("123456789012345678901234567890.000000000000000000010"))
        let result = try connection.run(
            "SELECT $1::numeric, $2::bytea, $3::timestamptz, $4::bigint, $5::text, $6::boolean, $7::text, $8::text[], $9::bigint[]",
            [
                .number(long), .bytes([0, 1, 255, 0x5C]), .instant(Instant(milliseconds: 1_795_221_717_158)), .integer(.min),
                .text("Zoë \\ \" ' ☃"), .flag(true), .null, .texts(["a\"b\\", nil, "", "{,}"]), .integers([1, nil, -3]),
            ])
        let row = try #require(result.first)
        #expect(row.number(0)?.description == long.description)
        #expect(row.bytes(1) == [0, 1, 255, 0x5C])
        #expect(row.instant(2) == Instant(milliseconds: 1_795_221_717_158))
        #expect(row.integer(3) == .min)
        #expect(row.text(4) == "Zoë \\ \" ' ☃")
        #expect(row.flag(5))
        #expect(row.isNull(6) && row.optionalText(6) == nil)
        #expect(row.text(7) == #"{"a\"b\\",NULL,"","{,}"}"#)
        #expect(row.text(8) == "{1,NULL,-3}")
    }

    @Test func columnsOfValuesArriveAsTheyAre() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        var texts = PostgresColumn()
        for text in ["a\"b\\", "", "{,}", "Zoë ☃"] { texts.append(text) }
        texts.appendNull()
        texts.append(Number(-250, scale: 2))
        texts.append([0x78, 0x79])
        var bytes = PostgresColumn(.bytes)
        bytes.append([0, 255])
        bytes.append([UInt8]())
        let row = try #require(
            try connection.run(
                "SELECT $1::text[], $2::bytea[], $3::text[]", [.column(texts), .column(bytes), .column(PostgresColumn())]
            ).first)
        #expect(row.text(0) == #"{"a\"b\\","","{,}","Zoë ☃",NULL,-2.50,xy}"#)
        #expect(row.text(1) == #"{"\\x00ff","\\x"}"# && row.text(2) == "{}")
        var zero = PostgresColumn()
        zero.append("a\u{0}b")
        #expect(postgresError { try connection.run("SELECT $1::text[]", [.column(zero)]) }?.state == .noCharacter)
    }

    @Test func resultsAreHandedOverAsTheyCome() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        for number in 1...3 {
            try connection.send("SELECT $1::bigint", [.integer(Int64(number))])
            try connection.push()
        }
        try connection.send("SELECT 1 / $1::bigint", [.integer(0)])
        try connection.send("SELECT 5")
        var numbers: [Int64?] = []
        try connection.receive { result in numbers.append((try? result.get())?.first?.integer(0)) }
        #expect(numbers == [1, 2, 3, nil, nil])
        #expect(try connection.run("SELECT 6").first?.integer(0) == 6)
    }

    @Test(arguments: [0, -1, 951_782_400_000, -62_135_596_800_001, 253_402_300_799_999, 1_709_164_800_123, -62_200_000_000_000])
    func instantsAgreeWithTheServer(_ milliseconds: Int64) throws {
        let connection = try Live.connect()
        defer { connection.close() }
        let instant = Instant(milliseconds: milliseconds)
        let row = try #require(
            try connection.run("SELECT $1::timestamptz, (extract(epoch FROM $1::timestamptz) * 1000)::bigint", [.instant(instant)]).first)
        #expect(row.instant(0) == instant)
        #expect(row.integer(1) == milliseconds)
    }

    @Test func aZeroByteIsRefusedAndNeverCut() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        #expect(postgresError { try connection.run("SELECT $1::text", [.text("a\u{0}b")]) }?.state == .noCharacter)
        #expect(try connection.run("SELECT 1").first?.integer(0) == 1)
    }

    @Test func aFailureNamesWhatWasBroken() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        try connection.script("CREATE TEMP TABLE a (id int PRIMARY KEY, b int NOT NULL CONSTRAINT positive CHECK (b > 0))")
        try connection.run("INSERT INTO a VALUES (1, 1)")
        let unique = postgresError { try connection.run("INSERT INTO a VALUES ($1, 1)", [.integer(1)]) }
        #expect(unique?.kind == .statement && unique?.state == .unique && unique?.constraint == "a_pkey" && unique?.table == "a")
        let check = postgresError { try connection.run("INSERT INTO a VALUES (2, -1)") }
        #expect(check?.state == .check && check?.constraint == "positive")
        let null = postgresError { try connection.run("INSERT INTO a VALUES (2, NULL)") }
        #expect(null?.state == .notNull && null?.column == "b")
        let syntax = postgresError { try connection.run("SELEC 1") }
        #expect(syntax?.kind == .statement && syntax?.state == SQLState("42601"))
        // The connection goes on, and the statement that could not be prepared is tried anew.
        #expect(postgresError { try connection.run("SELEC 1") }?.state == SQLState("42601"))
        #expect(try connection.run("SELECT count(*) FROM a").first?.integer(0) == 1)
    }

    @Test func pipelinedStatementsStandAndFallTogether() throws {
        let connection = try Live.connect()
        defer { connection.close() }
        try connection.script("CREATE TEMP TABLE a (id int PRIMARY KEY)")
        for id in 0..<2000 { try connection.post("INSERT INTO a VALUES ($1)", [.integer(Int64(id))]) }
        try connection.send("SELECT count(*) FROM a")
        let results = try connection.receive()
        #expect(results.count == 1)
        #expect(try results.first?.get().first?.integer(0) == 2000)

        try connection.send("INSERT INTO a VALUES (5000)")
        try connection.send("INSERT INTO a VALUES (1)")
        try connection.send("INSERT INTO a VALUES (5001)")
        let failed = try connection.receive()
        #expect(failed.map { if case .success = $0 { true } else { false } } == [true, false, false])
        #expect(try connection.run("SELECT count(*) FROM a").first?.integer(0) == 2000)
        // A posted statement's failure is heard of by what waits next.
        try connection.post("INSERT INTO a VALUES (1)")
        #expect(postgresError { try connection.run("SELECT 1") }?.state == .unique)
        #expect(try connection.run("SELECT 2").first?.integer(0) == 2)
    }

    @Test func moreStatementsThanAreKeptArePreparedAnew() throws {
        var options = Live.options()
        options.preparedStatements = 3
        let connection = try PostgresConnection(options)
        defer { connection.close() }
        for round in 0..<3 {
            for number in 0..<8 { #expect(try connection.run("SELECT \(number) + \(round)").first?.integer(0) == Int64(number + round)) }
        }
        #expect(try connection.run("SELECT count(*) FROM pg_prepared_statements").first?.integer(0) ?? 9 <= 3)
    }

    @Test func aLostConnectionIsToldApartFromARefusedStatement() throws {
        let connection = try Live.connect()
        let other = try Live.connect()
        defer { other.close() }
        try connection.run("BEGIN")
        try connection.run("SELECT 1")
        try other.run("SELECT pg_terminate_backend($1)", [.integer(Int64(connection.serverProcess))])
        let lost = postgresError { try connection.run("SELECT 2") }
        #expect(lost?.kind == .lost)
        #expect(connection.isBroken)
        #expect(postgresError { try connection.run("SELECT 3") }?.kind == .lost)
    }

    @Test func patienceEnds() throws {
        var options = Live.options()
        options.patience = .milliseconds(300)
        let impatient = try PostgresConnection(options)
        #expect(postgresError { try impatient.run("SELECT pg_sleep(5)") }?.kind == .lost)
        options.patience = .seconds(10)
        options.statementTimeout = .milliseconds(100)
        let limited = try PostgresConnection(options)
        defer { limited.close() }
        #expect(postgresError { try limited.run("SELECT pg_sleep(5)") }?.state == .cancelled)
        #expect(try limited.run("SELECT 1").first?.integer(0) == 1)
    }

    @Test func tooLargeAResultIsRefused() throws {
        var options = Live.options()
        options.maxResultBytes = 100_000
        let connection = try PostgresConnection(options)
        defer { connection.close() }
        #expect(postgresError { try connection.run("SELECT repeat('x', 1000000)") }?.kind == .usage)
        #expect(try connection.run("SELECT 1").first?.integer(0) == 1)
    }

    @Test func encryptionAsTheConnectionStringSays() throws {
        var options = Live.options()
        options.connection += options.connection.contains("?") ? "&sslmode=require" : "?sslmode=require"
        let connection = try PostgresConnection(options)
        defer { connection.close() }
        #expect(connection.isEncrypted)
        options.connection = options.connection.replacingOccurrences(of: "sslmode=require", with: "sslmode=verify-full")
        #expect(postgresError { _ = try PostgresConnection(options) }?.kind == .unreachable)
    }

    @Test func aWrongPasswordAndAClosedPortAreSaid() throws {
        var options = Live.options()
        options.password = "certainly not"
        #expect(postgresError { _ = try PostgresConnection(options) }?.state == .wrongPassword)
        #expect(postgresError { _ = try PostgresConnection(PostgresOptions("host=127.0.0.1 port=1")) }?.kind == .unreachable)
    }

    @Test func aPoolWorksInParallelAndEnds() async throws {
        let pool = PostgresPool(Live.options(), connections: 3, capacity: 16)
        let sums = try await withThrowingTaskGroup(of: Int64.self) { group in
            for number in 0..<6 {
                group.addTask {
                    try await pool.perform(patience: .seconds(10)) { session throws(PostgresError) in
                        try session.connection().run("SELECT $1::bigint FROM pg_sleep(0.05)", [.integer(Int64(number))]).first?.integer(0)
                            ?? 0
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sums == 15)
        await pool.close()
        await #expect(throws: PostgresError.self) {
            try await pool.perform(patience: .seconds(1)) { _ throws(PostgresError) in 1 }
        }
    }
}

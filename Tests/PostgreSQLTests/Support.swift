import Foundation
import HubDriver
import HubModel
import PostgreSQL
import PostgresClient
import Testing

/// The server under test: `scripts/apps/postgres start FOLDER` prints what MULTIPOINT_POSTGRES has to hold.
enum Live {
    static let connection = ProcessInfo.processInfo.environment["MULTIPOINT_POSTGRES"]
    static let isThere: Bool = {
        if connection == nil { print("PostgreSQL: live tests are skipped, since MULTIPOINT_POSTGRES names no server.") }
        return connection != nil
    }()
    static let why: Comment = "MULTIPOINT_POSTGRES names no server"

    static func options(_ port: Int? = nil) -> PostgresOptions {
        var connection = connection ?? ""
        if let port, let url = URL(string: connection), let old = url.port {
            connection = connection.replacingOccurrences(of: ":\(old)/", with: ":\(port)/")
        }
        var options = PostgresOptions(connection, name: "tests")
        options.patience = .seconds(10)
        return options
    }

    static func connect() throws -> PostgresConnection { try PostgresConnection(options()) }
}

/// A schema of the test's own, with a driver on it.
final class Desk {
    let schema: String
    let application: ApplicationID
    let connection: PostgresConnection
    let driver: any Driver

    static let tables = """
        CREATE TABLE customer (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, name text NOT NULL,
            "limit" numeric(12,2) CHECK ("limit" >= 0), since timestamptz, born date, data bytea, extra jsonb, active boolean DEFAULT true,
            row_version bigint NOT NULL DEFAULT 1, hub_reference text, double_limit numeric GENERATED ALWAYS AS ("limit" * 2) STORED
        );
        CREATE TRIGGER raise BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION multipoint.raise_version('row_version');
        CREATE TABLE country (code text PRIMARY KEY, name text);
        CREATE TABLE branch (
            id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer bigint REFERENCES customer (id), city text, company text,
            gone boolean NOT NULL DEFAULT false
        );
        """

    init(port: Int? = nil, more: String = "", settings: [String: String] = [:]) throws {
        schema = "t" + UUID().uuidString.lowercased().filter { $0 != "-" }
        application = ApplicationID(schema)
        connection = try Live.connect()
        let tables = """
            customer: table=\(schema).customer version=row_version reference=hub_reference
            country: table=\(schema).country adopt=yes
            branch: table=\(schema).branch company=company delete=archives:gone
            kept: table=\(schema).country delete=refuses
            \(more.replacingOccurrences(of: "$schema", with: schema))
            """
        var values = ["connection": Live.options(port).connection, "tables": tables, "answerMilliseconds": "4000"]
        values.merge(settings) { $1 }
        driver = try PostgreSQLFactory.make(DriverSettings(application: application, values: values))
    }

    /// A desk for one test, prepared before it and cleared away behind it, whatever comes of it.
    static func run(_ more: String = "", settings: [String: String] = [:], _ test: (Desk) async throws -> Void) async throws {
        let desk = try Desk(more: more, settings: settings)
        do {
            try await desk.prepare()
            try await test(desk)
        } catch {
            await desk.close()
            throw error
        }
        await desk.close()
    }

    /// Makes the tables; the driver makes its own schema first.
    func prepare(_ more: String = "") async throws {
        try connection.script("CREATE SCHEMA \(schema); SET search_path = \(schema), public")
        // The first probe makes the write log and finds no tables.
        _ = try? await driver.probe()
        try connection.script(Self.tables + more)
    }

    func close() async {
        await driver.close()
        try? connection.script("DROP SCHEMA \(schema) CASCADE; DELETE FROM multipoint.write_log WHERE application = '\(application)'")
        connection.close()
    }

    func delivery(
        _ operation: Delivery.Operation, _ native: String, _ id: String, number: Int = 1, key: NativeKey? = nil, token: String? = nil,
        company: String? = nil, _ fields: Fields = Fields()
    ) -> Delivery {
        Delivery(
            target: Target(application, company.map { CompanyID($0) } ?? .shared, CanonicalID(id)),
            version: Version(generation: 1, number: number), operation: operation, native: native, company: company, key: key,
            reference: CanonicalID(id), fields: fields,
            expected: key == nil ? nil : .init(token: token.map { VersionToken($0) }, fields: Fields()))
    }

    func count(_ table: String) throws -> Int64 { try connection.run("SELECT count(*) FROM \(schema).\(table)").first?.integer(0) ?? -1 }
}

extension Answer {
    var document: NativeDocument? {
        switch self {
        case .written(let document), .unchanged(let document): document
        default: nil
        }
    }
    var isWritten: Bool { if case .written = self { true } else { false } }
    var isUnchanged: Bool { if case .unchanged = self { true } else { false } }
    var rejection: Rejection? { if case .rejected(let rejection) = self { rejection } else { nil } }
}

func postgresError(_ work: () throws -> Void, _ location: SourceLocation = #_sourceLocation) -> PostgresError? {
    do {
        try work()
        Issue.record("Nothing was thrown.", sourceLocation: location)
    } catch let error as PostgresError {
        return error
    } catch {
        Issue.record("Not a PostgresError: \(error)", sourceLocation: location)
    }
    return nil
}

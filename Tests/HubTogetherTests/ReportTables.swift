import Foundation
import HubDriver
import HubModel
import PostgreSQL
import PostgresClient

/// Tables of a PostgreSQL server in a schema of their own: people change them by SQL.
final class ReportTables: Peer {
    let name: ApplicationID = "reports"
    let own = (native: "segment", canonical: "segment", crm: "segment")
    static let address = "REPORTS_CONNECTION"

    /// The server's connection string: `scripts/apps/postgres start FOLDER` prints it.
    static let connection = ProcessInfo.processInfo.environment["MULTIPOINT_POSTGRES"]

    private let schema = "t" + UUID().uuidString.lowercased().filter { $0 != "-" }
    private let options: PostgresOptions

    /// nil, and said aloud, where there is no server.
    static func open() async throws -> ReportTables? {
        guard let connection else {
            print("SKIPPED: a running hub with PostgreSQL, since MULTIPOINT_POSTGRES names no server.")
            return nil
        }
        let tables = ReportTables(connection)
        try await tables.prepare(connection)
        return tables
    }

    private init(_ address: String) {
        var options = PostgresOptions(address, name: "tests")
        options.patience = .seconds(10)
        self.options = options
    }

    deinit {
        try? run { connection in
            try connection.script(
                "DROP SCHEMA \(schema) CASCADE; DELETE FROM multipoint.write_log WHERE application = '\(name)'")
        }
    }

    /// Makes the tables; the driver makes its own schema first, with the functions that the triggers need.
    private func prepare(_ address: String) async throws {
        try run { try $0.script("CREATE SCHEMA \(schema)") }
        let driver = try PostgreSQLFactory.make(
            DriverSettings(application: name, values: ["connection": address, "tables": declarations]))
        // The first probe makes that schema and finds no tables.
        _ = try? await driver.probe()
        await driver.close()
        try run { connection in
            try connection.script(
                """
                SET search_path = \(schema), public;
                CREATE TABLE customer (
                    code text PRIMARY KEY, name text NOT NULL, email text, phone text, segment text, city text,
                    gone boolean NOT NULL DEFAULT false, row_version bigint NOT NULL DEFAULT 1);
                CREATE TABLE item (
                    code text PRIMARY KEY, name text NOT NULL, price numeric(12,2), row_version bigint NOT NULL DEFAULT 1);
                """)
            for table in ["customer", "item"] {
                try connection.script(
                    """
                    CREATE TRIGGER raise BEFORE UPDATE ON \(table)
                        FOR EACH ROW EXECUTE FUNCTION multipoint.raise_version('row_version');
                    CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON \(table)
                        FOR EACH ROW EXECUTE FUNCTION multipoint.note_change('code');
                    """)
            }
        }
    }

    private var declarations: String {
        """
        customer: table=\(schema).customer version=row_version delete=archives:gone feed=yes
        item: entity=product table=\(schema).item version=row_version feed=yes
        """
    }

    var configuration: String {
        """
          reports:
            driver: postgresql
            connection: { env: \(Self.address) }
            tables: |
        \(declarations.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
        """
    }

    func documents(_ kind: DocumentKind) throws -> [String: Fields] {
        let rows = try rows(kind == .customers ? "customer" : "item")
        return Dictionary(rows.filter { $0["gone"] != true }.map { ($0["code"]?.text ?? "", $0) }) { $1 }
    }

    /// True where a customer's row is there and marked.
    func isArchived(_ code: String) throws -> Bool { try rows("customer").contains { $0["code"]?.text == code && $0["gone"] == true } }

    func edit(_ code: String, _ fields: Fields) throws {
        for (column, value) in fields {
            try run { connection in
                _ = try connection.run(
                    "UPDATE \(schema).customer SET \(column) = $1 WHERE code = $2", [.text(value.text ?? ""), .text(code)])
            }
        }
    }

    private func rows(_ table: String) throws -> [Fields] {
        try run { connection in
            try connection.run("SELECT to_jsonb(r)::text FROM \(schema).\(table) r").rows.map { try JSONText.fields($0.text(0)) }
        }
    }

    private func run<T>(_ body: (PostgresConnection) throws -> T) throws -> T {
        let connection = try PostgresConnection(options)
        defer { connection.close() }
        return try body(connection)
    }
}

import HubDriver
import HubModel
import PostgresClient
import Testing

@testable import PostgreSQL

struct DiscoveryTests {
    @Test func codesAreTakenFromChecksAndEnumerations() {
        let check = "CHECK ((status = ANY (ARRAY['open'::text, 'it''s done'::text])))"
        #expect(PostgreSQLDriver.codes(labels: nil, check: check) == ["open", "it's done"])
        let varying = "CHECK (((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))"
        #expect(PostgreSQLDriver.codes(labels: nil, check: varying) == ["a", "b"])
        #expect(PostgreSQLDriver.codes(labels: #"["N", "C"]"#, check: nil) == ["N", "C"])
        #expect(PostgreSQLDriver.codes(labels: nil, check: "CHECK ((amount > 0))") == nil)
        #expect(PostgreSQLDriver.codes(labels: nil, check: nil) == nil)
    }

    @Test(.enabled(if: Live.isThere, Live.why)) func tellsTablesColumnsAndRights() async throws {
        let desk = try Desk(more: "offer: table=$schema.offer key=number\nlost: table=$schema.no_such_table")
        try await desk.prepare(
            """
            CREATE TYPE mood AS ENUM ('glad', 'sad');
            CREATE TABLE offer (
                number text PRIMARY KEY, customer bigint NOT NULL REFERENCES customer (id), state mood NOT NULL DEFAULT 'glad',
                kind text NOT NULL CHECK (kind IN ('long', 'short')), total numeric(14,3), tags text[]
            );
            COMMENT ON TABLE offer IS 'Offers';
            COMMENT ON COLUMN offer.total IS 'All in';
            """)
        let driver = try #require(desk.driver as? any Discovering)
        let found = try await driver.discover()
        #expect(found.identity.instance.contains("/") && !found.identity.version.isEmpty)
        // Who looks for a table that is not there, is told so.
        await #expect(throws: DriverError.self) { _ = try await desk.driver.probe() }
        #expect(found.types.map(\.native) == ["customer", "country", "branch", "kept", "offer"], "a table that is not there is left out")
        let offer = try #require(found.types.last)
        #expect(offer.label == "Offers" && offer.rights == Set(DiscoveredType.Right.allCases))
        #expect(
            offer.fields == [
                DiscoveredField(path: "number", kind: .text, nativeKind: "text"),
                DiscoveredField(path: "customer", kind: .reference, nativeKind: "bigint (customer)", isRequired: true),
                DiscoveredField(path: "state", kind: .code, nativeKind: "\(desk.schema).mood", codes: ["glad", "sad"]),
                DiscoveredField(path: "kind", kind: .text, nativeKind: "text", isRequired: true, codes: ["long", "short"]),
                DiscoveredField(path: "total", kind: .number, nativeKind: "numeric(14,3)", label: "All in"),
                DiscoveredField(path: "tags", kind: .list, nativeKind: "text[]"),
            ])
        let customer = try #require(found.types.first)
        let kinds = Dictionary(uniqueKeysWithValues: customer.fields.map { ($0.path, $0.kind) })
        #expect(kinds["since"] == .instant && kinds["born"] == .date && kinds["data"] == .binary && kinds["extra"] == .object)
        #expect(kinds["active"] == .boolean && kinds["id"] == .number)
        let readOnly = customer.fields.filter(\.isReadOnly).map(\.path)
        #expect(readOnly == ["row_version", "hub_reference", "double_limit"])
        #expect(customer.fields.filter(\.isRequired).map(\.path) == ["name"])
        await desk.close()
    }

    @Test(.enabled(if: Live.isThere, Live.why)) func rightsAreThoseOfTheUser() async throws {
        let desk = try Desk()
        try await desk.prepare()
        let user = "u\(desk.schema)"
        try desk.connection.script(
            """
            CREATE ROLE \(user) LOGIN; GRANT USAGE ON SCHEMA \(desk.schema), multipoint TO \(user);
            GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA multipoint TO \(user);
            GRANT SELECT ON \(desk.schema).customer TO \(user); GRANT UPDATE (name) ON \(desk.schema).customer TO \(user)
            """)
        let connection = Live.options().connection
        let separator = connection.contains("?") ? "&" : "?"
        let limited = try PostgreSQLFactory.make(
            DriverSettings(
                application: desk.application,
                values: [
                    "connection": connection + "\(separator)options=-crole%3D\(user)",
                    "tables": "customer: table=\(desk.schema).customer version=row_version reference=hub_reference",
                ]))
        let type = try #require(try await (limited as? any Discovering)?.discover().types.first)
        await limited.close()
        try desk.connection.script("DROP OWNED BY \(user); DROP ROLE \(user)")
        await desk.close()
        #expect(type.rights == [.read, .update])
        #expect(type.fields.filter { !$0.isReadOnly }.map(\.path) == ["name"])
    }
}

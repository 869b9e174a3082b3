/// Where a server is, and how much patience and memory its connections have.
package struct PostgresOptions: Sendable {
    /// libpq's connection string, `postgresql://…` or `host=… dbname=…`, TLS as it says (`sslmode`, `sslrootcert`, …).
    package var connection: String
    /// Goes before what the connection string says; nil: that, or libpq's password file.
    package var password: String?
    /// What the server's lists of connections show.
    package var name: String
    /// How long a connection may take to be made; libpq counts in whole seconds, two at least.
    package var connectSeconds = 10
    /// How long the client waits for an answer before it gives the connection up.
    package var patience = Duration.seconds(30)
    /// After this time the server itself gives a statement up; nil: never.
    package var statementTimeout: Duration?
    /// After this time the server gives up waiting for a row that somebody else holds; nil: never.
    package var lockTimeout: Duration?
    /// A result with more bytes is refused.
    package var maxResultBytes = 256 << 20
    /// Statements kept prepared on a connection.
    package var preparedStatements = 256

    package init(_ connection: String, name: String = "multipoint") {
        self.connection = connection
        self.name = name
    }
}

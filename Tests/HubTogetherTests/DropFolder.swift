import HubDriver
import HubModel

@testable import TestHub

/// Two folders through which another program and the driver `files` exchange what changes: customers as NDJSON, articles as CSV.
struct DropFolder: Peer {
    let name: ApplicationID = "drop"
    let own = (native: "mail", canonical: "email", crm: "email")
    private let folder: ExchangeFolder

    init(_ folder: String) throws { self.folder = try ExchangeFolder(folder) }

    var configuration: String {
        """
          drop:
            driver: files
            inbound: drop/in
            outbound: drop/out
            types: |
              client: entity=customer format=ndjson in=clients*.ndjson out=clients key=number operation=op
                columns=op,number,name,mail,phone,segment,town
              article: entity=product in=articles*.csv out=articles key=code operation=op columns=op,code,name,price:number
        """
    }

    func documents(_ kind: DocumentKind) throws -> [String: Fields] {
        if kind == .customers { return try folder.documents("clients", key: "number") }
        var last: [String: Fields] = [:]
        for line in try folder.lines("articles") {
            let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard cells.count == 4 else { continue }
            last[cells[1]] = ["op": .string(cells[0]), "name": .string(cells[2]), "price": Number(cells[3]).map { .number($0) } ?? .null]
        }
        return last.filter { $0.value["op"]?.text != "D" }
    }

    /// How many rows about customers have gone out.
    var rows: Int { get throws { try folder.lines("clients").count } }

    func edit(_ code: String, _ fields: Fields) throws {
        try folder.drop("clients", Fields([("op", "U"), ("number", .string(code))]).overlaid(with: fields))
    }
}

import HubDriver
import HubModel

/// Work that Tryton has left to its queue, and that has failed there: the sale stays confirmed, and the reason is filed elsewhere.
extension SaleType {
    /// Sales that are confirmed and not processed, with the reason where there is one.
    func completed(_ records: [Record], _ work: Work) async throws(TrytonFailure) -> [Record] {
        var records = records
        for index in records.indices where records[index].row["state"]?.text == "confirmed" {
            guard let reason = try await failure(of: records[index].id, work) else { continue }
            records[index].row["failure"] = .string(reason.text)
            records[index].filed = reason.time
        }
        return records
    }

    /// What Tryton's list of errors says of a sale; nil where it says nothing or may not be asked.
    ///
    /// An error names the task that failed, and Tryton tells nobody whose task that was. But its words name the document or what is on
    /// it: the newest open one that does, no older than the sale, is taken for the sale's.
    func failure(of id: Int64, _ work: Work) async throws(TrytonFailure) -> (text: String, time: Int64?)? {
        do {
            let wanted = ["rec_name", "number", "party.name", "lines.product.code", "lines.product.template.name", "create_date"]
            guard let sale = try await work.rows("sale.sale", [["id", "=", .id(id)]], wanted).first else { return nil }
            let (names, made) = (Self.names(of: sale), sale["create_date"]?.text ?? "")
            let errors = try await work.rows(
                "ir.error", [["state", "=", "open"], ["origin", "like", "ir.queue,%"]],
                ["message", "description", "create_date", "_timestamp"],
                limit: Self.mostErrors, order: [("id", "DESC")])
            for error in errors where error["create_date"]?.text?.precedesInBytes(made) == false {
                let text = [error["message"]?.text, error["description"]?.text].compactMap { $0 }.filter { !$0.isEmpty }
                    .joined(separator: " ")
                if names.contains(where: { text.contains($0) }) {
                    return (text, error["_timestamp"]?.text.flatMap(Timestamp.microseconds))
                }
            }
            return nil
        } catch {
            guard case .refused = error else { throw error }
            return nil
        }
    }

    private static let mostErrors = 100

    private static func names(of sale: Fields) -> [String] {
        var names = [sale["rec_name"]?.text, sale["number"]?.text, sale.one("party")?["name"]?.text]
        for line in sale.many("lines") {
            let product = line.one("product")
            names += [product?["code"]?.text, product?.one("template")?["name"]?.text]
        }
        // Tryton puts what it names into quotation marks; a short name stands in too many other words.
        return names.compactMap { $0 }.filter { !$0.isEmpty }.flatMap { $0.count < 5 ? ["\"\($0)\"", "[\($0)]"] : [$0] }
    }
}

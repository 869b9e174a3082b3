import HubDriver
import HubModel

extension OdooDriver {
    /// The driver's own rules for every member, and then those of Odoo: an import that is only tried. Confirming is not.
    func validate(_ question: Question) async throws(OdooFailure) -> FunctionReply {
        guard let order = question.arguments["order"]?.object else {
            return .refused(Rejection(rule: "invalid-value", field: "order", text: "An order is its members."))
        }
        let company = company(question.company)
        var violations = try await ownViolations(.order, order)
        if violations.isEmpty {
            let rows: Rows
            do throws(ApplyFailure) {
                rows = try await self.rows(.order, order, reference: nil, company)
            } catch {
                if case .odoo(let failure) = error { throw failure }
                guard case .broken(let broken) = error else { throw .unusable("an order could not be laid out") }
                return .says(ValidateAnswer(violations: [broken.rejection]).fields, asOf: now)
            }
            violations = try await tried(.order, rows, company)
        }
        return .says(ValidateAnswer(violations: violations).fields, asOf: now)
    }

    /// Every member that breaks a rule of the driver's.
    private func ownViolations(_ type: NativeType, _ fields: Fields) async throws(OdooFailure) -> [Rejection] {
        var found: [Rejection] = []
        for (name, value) in fields {
            // Each member on its own, so that one mistake does not hide the next.
            for part in parts(type, name, value) {
                do throws(ApplyFailure) {
                    _ = try await rows(type, part, reference: nil, nil)
                } catch .broken(let broken) {
                    found.append(broken.rejection)
                } catch .odoo(let failure) {
                    throw failure
                } catch {
                    throw .unusable("\(name) could not be looked at")
                }
            }
        }
        return found
    }

    /// A member, or each line with each of its members.
    private func parts(_ type: NativeType, _ name: String, _ value: Value) -> [Fields] {
        guard name == type.lines?.name, let lines = value.array, lines.allSatisfy({ $0.object?["id"] != nil }) else {
            return [[name: value]]
        }
        return lines.compactMap(\.object).flatMap { line in
            line.filter { $0.name != "id" }.map { member in
                [name: [.object(["id": line["id"] ?? .null, member.name: member.value])]]
            }
        }
    }

    /// What Odoo says of an import that it takes back.
    private func tried(_ type: NativeType, _ rows: Rows, _ company: Int64?) async throws(OdooFailure) -> [Rejection] {
        let file: Fields = [
            "res_model": .string(type.model), "file": .string(rows.csv), "file_name": "order.csv", "file_type": "text/csv",
        ]
        let made = try await client.call("base_import.import", "create", ["vals_list": [.object(file)]], company: company)
        let options: Fields = [
            "has_headers": true, "quoting": "\"", "separator": ",", "encoding": "utf-8", "float_thousand_separator": ",",
            "float_decimal_separator": ".", "date_format": "%Y-%m-%d", "datetime_format": "%Y-%m-%d %H:%M:%S",
        ]
        let columns = OdooClient.texts(rows.columns)
        let result = try await client.call(
            "base_import.import", "execute_import",
            ["ids": made, "fields": columns, "columns": columns, "options": .object(options), "dryrun": true], company: company)
        let found = (result["messages"]?.array ?? []).filter { $0["type"] != .some("warning") }.map { message in
            OdooRefusal(
                status: 422, name: "odoo.exceptions.ValidationError", message: message["message"]?.text ?? "",
                field: message["field"]?.text
            ).rejection
        }
        // What could not be taken is missing afterwards: that is the same mistake.
        let others = Set(found.filter { $0.rule != "missing-field" }.compactMap(\.field))
        return found.filter { rejection in rejection.rule != "missing-field" || !(rejection.field.map(others.contains) ?? false) }
    }
}

extension OdooDriver.Rows {
    /// The rows as a file: RFC 4180, every value in quotes.
    var csv: String {
        ([columns] + rows).map { row in
            row.map { "\"" + $0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\"" }
                .joined(separator: ",")
        }.joined(separator: "\n")
    }
}

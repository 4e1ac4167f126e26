import JSON
import Network

/// Arithmetic, and one tool that takes its time.
enum Calculator {
    private static let resultSchema = Schema.object([("result", Schema.number("The result."))], required: ["result"])

    static func tools() -> [Tool] {
        [
            binary("add", "Add two numbers", "The sum of two numbers.") { $0 + $1 },
            binary("multiply", "Multiply two numbers", "The product of two numbers.") { $0 * $1 },
            Tool(
                name: "evaluate", title: "Evaluate an expression", description: "Numbers, + - * / ^, brackets; e.g. (2 + 3) * 4.",
                hints: .init(isReadOnly: true, isIdempotent: true),
                input: Schema.object([("expression", Schema.string("The expression."))], required: ["expression"]), output: resultSchema,
                action: .quick { (call) throws(ToolFailure) in
                    var expression = Expression(try call.text("expression", max: 500))
                    return try answer(try expression.evaluate())
                }),
            Tool(
                name: "count_slowly", title: "Count slowly", description: "Counts up, telling its progress; can be cancelled.",
                hints: .init(isReadOnly: true),
                input: Schema.object([
                    ("to", Schema.integer("The last number.", in: 1...1000, default: 5)),
                    ("pause_ms", Schema.integer("The pause before each number, in milliseconds.", in: 0...10_000, default: 200)),
                ]), output: resultSchema, action: .slow(countSlowly)),
        ]
    }

    private static func binary(
        _ name: String, _ title: String, _ description: String, _ operation: @escaping @Sendable (Double, Double) -> Double
    ) -> Tool {
        Tool(
            name: name, title: title, description: description, hints: .init(isReadOnly: true, isIdempotent: true),
            input: Schema.object([("a", Schema.number("One number.")), ("b", Schema.number("The other."))], required: ["a", "b"]),
            output: resultSchema,
            action: .quick { (call) throws(ToolFailure) in try answer(operation(try call.number("a"), try call.number("b"))) })
    }

    private static func countSlowly(_ call: Arguments, report: (Progress) async -> Void) async throws(ToolFailure) -> ToolResult {
        let last = try call.integer("to", in: 1...1000, default: 5)
        let pause = Duration.milliseconds(try call.integer("pause_ms", in: 0...10_000, default: 200))
        for number in 1...last {
            do throws(CancellationError) {
                try await EventLoop.current?.sleep(for: pause)
            } catch {
                throw ToolFailure("Stopped before \(number).")
            }
            await report(Progress(done: number, total: last, message: "counted to \(number)"))
        }
        return ToolResult(text: "Counted to \(last).", data: ["result": .number(String(last))])
    }

    private static func answer(_ number: Double) throws(ToolFailure) -> ToolResult {
        guard number.isFinite else { throw ToolFailure("The result is too large, or not a number.") }
        let text = number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
        return ToolResult(text: text, data: ["result": .number(text)])
    }
}

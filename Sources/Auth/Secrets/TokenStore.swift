/// Where users' tokens outlive the gateway.
package final class TokenStore: Sendable {
}

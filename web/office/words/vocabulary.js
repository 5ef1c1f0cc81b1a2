// Channels and states of payments: Persian first, English second.
export const PAYMENTS = {
  "channel.gateway": ["درگاه", "Gateway"],
  "channel.pos": ["پایانه", "Terminal"],
  "channel.bill": ["قبض", "Bill"],

  "state.waiting": ["در صف", "Waiting"],
  "state.created": ["آغاز شده", "Started"],
  "state.pending": ["در انتظار", "Waiting"],
  "state.verifying": ["در حال تأیید", "Confirming"],
  "state.settled": ["پرداخت‌شده", "Paid"],
  "state.failed": ["ناموفق", "Failed"],
  "state.cancelled": ["لغو شده", "Cancelled"],
  "state.expired": ["گذشته", "Expired"],
  "state.refunding": ["در حال برگشت", "Returning"],
  "state.refunded": ["برگشت‌داده", "Returned"],
  "state.suspense": ["در بررسی", "In question"],
};
